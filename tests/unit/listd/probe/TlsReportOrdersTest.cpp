// What the orders about TLS reports tell of our own.
#include "tests/unit/listd/orders/DeskFixture.h"

using namespace postern;
using namespace postern::test;

BOOST_AUTO_TEST_SUITE(listd_probe_TlsReportOrders)

BOOST_AUTO_TEST_CASE(it_says_whether_reports_are_sent_and_what_makes_others_send_theirs) {
  Desk s;
  s.board();
  const auto silent = s.give("tlsrpt.days");
  BOOST_TEST(silent.at("contact") == "");
  BOOST_REQUIRE_EQUAL(silent.at("records").size(), 1u);
  BOOST_TEST(silent.at("records").at(0).at("address") == "tlsrpt@lists.example");
  BOOST_TEST(silent.at("records").at(0).at("name") == "_smtp._tls.lists.example");
  s.config.tlsReportContact = "tls@example.org";
  BOOST_TEST(s.give("tlsrpt.days").at("contact") == "tls@example.org");
}

BOOST_AUTO_TEST_SUITE_END()
