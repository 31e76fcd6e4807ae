#include "gateway/inspect/DnsBreaker.h"

using namespace postern::gateway;

namespace {

struct Breaker {
  bool alive = true;
  int asked = 0;
  std::chrono::steady_clock::time_point now{std::chrono::hours(1)};
  DnsBreaker breaker{[this] {
                       ++asked;
                       return alive;
                     },
                     [this] { return now; }};
  void fail(int times) {
    for (int i = 0; i < times; ++i) breaker.note(4, 0);
  }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(gateway_inspect_DnsBreaker, Breaker)

BOOST_AUTO_TEST_CASE(dead_name_servers_of_senders_alone_do_not_open_it) {
  fail(20);
  BOOST_TEST(asked > 0);
  BOOST_TEST(breaker.mayAsk());
  BOOST_TEST(!breaker.isDead());
}

BOOST_AUTO_TEST_CASE(one_answer_in_between_is_no_row_of_failures) {
  alive = false;
  for (int i = 0; i < 10; ++i) {
    fail(2);
    breaker.note(4, 1);
  }
  breaker.note(0, 0);
  BOOST_TEST(asked == 0);
  BOOST_TEST(breaker.mayAsk());
}

BOOST_AUTO_TEST_CASE(a_dead_dns_is_asked_again_after_a_pause_and_messages_are_counted) {
  alive = false;
  fail(3);
  BOOST_TEST(breaker.isDead());
  BOOST_TEST(asked == 1);
  for (int i = 0; i < 5; ++i) BOOST_TEST(!breaker.mayAsk());
  BOOST_TEST(breaker.unchecked() == 5u);
  BOOST_TEST(asked == 1);
  now += DnsBreaker::Pause;
  BOOST_TEST(!breaker.mayAsk());  // asked again, dead still
  BOOST_TEST(asked == 2);
  alive = true;
  BOOST_TEST(!breaker.mayAsk());
  now += DnsBreaker::Pause;
  BOOST_TEST(breaker.mayAsk());
  BOOST_TEST(!breaker.isDead());
  BOOST_TEST(asked == 3);
}

BOOST_AUTO_TEST_SUITE_END()
