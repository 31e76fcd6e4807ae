#include "webadmin/ClientLimit.h"

using namespace postern;
using webadmin::ClientLimit;

BOOST_AUTO_TEST_SUITE(webadmin_client_limit)

BOOST_AUTO_TEST_CASE(counts_each_client_by_itself_and_forgets_after_the_window) {
  FakeClock clock(fromMicros(1'000'000));
  ClientLimit limit(clock, 2, std::chrono::seconds(60));
  BOOST_TEST(limit.allow("192.0.2.1"));
  BOOST_TEST(limit.allow("192.0.2.1"));
  BOOST_TEST(!limit.allow("192.0.2.1"));
  BOOST_TEST(limit.allow("192.0.2.2"));
  clock.advance(std::chrono::seconds(60));
  BOOST_TEST(limit.allow("192.0.2.1"));
}

BOOST_AUTO_TEST_CASE(a_client_of_ipv6_is_its_network) {
  FakeClock clock(fromMicros(1'000'000));
  ClientLimit limit(clock, 1, std::chrono::seconds(60));
  BOOST_TEST(limit.allow("2001:db8:1:2::1"));
  BOOST_TEST(!limit.allow("2001:db8:1:2:ffff::9"));
  BOOST_TEST(limit.allow("2001:db8:1:3::1"));
  BOOST_TEST(webadmin::clientNetwork("2001:db8:1:2:3::4") == "2001:db8:1:2::/64");
  BOOST_TEST(webadmin::clientNetwork("192.0.2.1") == "192.0.2.1");
  BOOST_TEST(webadmin::clientNetwork("::ffff:192.0.2.1") == "::ffff:192.0.2.1");
}

BOOST_AUTO_TEST_CASE(forgives_who_has_shown_who_it_is) {
  FakeClock clock(fromMicros(1'000'000));
  ClientLimit limit(clock, 1, std::chrono::seconds(60));
  BOOST_TEST(limit.allow("192.0.2.1"));
  limit.forgive("192.0.2.1");
  BOOST_TEST(limit.allow("192.0.2.1"));
}

BOOST_AUTO_TEST_CASE(a_flood_of_addresses_is_refused_rather_than_remembered_without_end) {
  FakeClock clock(fromMicros(1'000'000));
  ClientLimit limit(clock, 5, std::chrono::seconds(60));
  for (std::size_t i = 0; i < ClientLimit::MaxClients; ++i) BOOST_REQUIRE(limit.allow("client" + std::to_string(i)));
  BOOST_TEST(!limit.allow("192.0.2.1"));
  clock.advance(std::chrono::seconds(60));
  BOOST_TEST(limit.allow("192.0.2.1"));
}

BOOST_AUTO_TEST_SUITE_END()
