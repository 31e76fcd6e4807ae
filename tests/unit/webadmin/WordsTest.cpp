#include "webadmin/Words.h"

using namespace postern::webadmin;

BOOST_AUTO_TEST_SUITE(webadmin_words)

BOOST_AUTO_TEST_CASE(what_listd_says_becomes_a_sentence_but_addresses_and_commands_stay) {
  BOOST_TEST(words::sentence("the code does not match") == "The code does not match.");
  BOOST_TEST(words::sentence("ann@example.org is a member already") == "ann@example.org is a member already.");
  BOOST_TEST(words::sentence("see: postern list list") == "See: postern list list");
  BOOST_TEST(words::sentence("Nothing was changed.") == "Nothing was changed.");
  BOOST_TEST(words::sentence("\"name\" is missing") == "\"name\" is missing.");
  BOOST_TEST(words::sentence("") == "");
}

BOOST_AUTO_TEST_SUITE_END()
