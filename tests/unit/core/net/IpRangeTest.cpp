#include "core/net/IpRange.h"

using postern::net::IpRange;

BOOST_AUTO_TEST_SUITE(core_net_ip_range)

BOOST_AUTO_TEST_CASE(contains_what_shares_the_prefix_and_nothing_else) {
  const auto range = IpRange::parse("192.0.2.64/26").value();
  BOOST_TEST(range.contains("192.0.2.64"));
  BOOST_TEST(range.contains("192.0.2.127"));
  BOOST_TEST(range.contains("::ffff:192.0.2.100"));
  BOOST_TEST(!range.contains("192.0.2.63"));
  BOOST_TEST(!range.contains("192.0.2.128"));
  BOOST_TEST(!range.contains("c000:240::"));  // the same first bytes, another family
  BOOST_TEST(!range.contains(""));
  BOOST_TEST(!range.contains("192.0.2.100x"));
  const auto six = IpRange::parse("2001:db8::/33").value();
  BOOST_TEST(six.contains("2001:db8:7fff::1"));
  BOOST_TEST(!six.contains("2001:db8:8000::1"));
  BOOST_TEST(IpRange::parse("192.0.2.9")->text() == "192.0.2.9/32");
  BOOST_TEST(!IpRange::parse("192.0.2.9")->contains("192.0.2.8"));
}

BOOST_AUTO_TEST_CASE(refuses_what_is_no_range) {
  for (const auto* text : {"", "/", "192.0.2.0/", "192.0.2.0/33", "192.0.2.0/-1", "192.0.2.0/ 8", "192.0.2.1/24",
                           "example", "2001:db8::1/32", "::ffff:192.0.2.0/120", "192.0.2.0/24/24", "0x7f.1"})
    BOOST_TEST(!IpRange::parse(text).has_value(), text);
}

BOOST_AUTO_TEST_SUITE_END()
