#include "core/mail/Multipart.h"

using namespace postern::mail;

BOOST_AUTO_TEST_SUITE(core_mail_Multipart)

BOOST_AUTO_TEST_CASE(parts_are_the_bytes_between_the_boundary_lines) {
  const auto split =
      splitMultipart("see below\r\n--b\r\nA: 1\r\n\r\none\r\n\r\n--b  \r\ntwo\r\n--b--\r\nlater\r\n", "b", 5);
  BOOST_REQUIRE(split);
  BOOST_TEST(split->preamble == "see below");
  BOOST_REQUIRE_EQUAL(split->parts.size(), 2U);
  BOOST_TEST(split->parts[0] == "A: 1\r\n\r\none\r\n");
  BOOST_TEST(split->parts[1] == "two");
  BOOST_TEST(split->epilogue == "later\r\n");
}

BOOST_AUTO_TEST_CASE(what_only_looks_like_a_boundary_is_content) {
  const auto split = splitMultipart("--b\r\n--bb\r\n --b\r\n--b--x\r\n--b--", "b", 5);
  BOOST_REQUIRE(split);
  BOOST_REQUIRE_EQUAL(split->parts.size(), 1U);
  BOOST_TEST(split->parts[0] == "--bb\r\n --b\r\n--b--x");
  BOOST_TEST(split->epilogue.empty());
}

BOOST_AUTO_TEST_CASE(an_empty_part_is_a_part) {
  const auto split = splitMultipart("--b\r\n--b\r\nx\r\n--b--\r\n", "b", 5);
  BOOST_REQUIRE(split);
  BOOST_REQUIRE_EQUAL(split->parts.size(), 2U);
  BOOST_TEST(split->parts[0].empty());
}

BOOST_AUTO_TEST_CASE(without_a_close_or_with_too_many_parts_there_is_nothing) {
  BOOST_TEST(!splitMultipart("", "b", 5).has_value());
  BOOST_TEST(!splitMultipart("--b\r\nx\r\n", "b", 5).has_value());
  BOOST_TEST(!splitMultipart("--b--\r\n", "b", 5).has_value());
  BOOST_TEST(!splitMultipart("--b\r\nx\r\n--b\r\ny\r\n--b--\r\n", "b", 1).has_value());
}

BOOST_AUTO_TEST_SUITE_END()
