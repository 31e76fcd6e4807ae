#include "listd/orders/Csv.h"

using namespace postern::listd;

BOOST_AUTO_TEST_SUITE(listd_orders_Csv)

BOOST_AUTO_TEST_CASE(reads_quotes_line_ends_and_a_byte_order_mark) {
  const auto records = readCsv(
      "\xef\xbb\xbf"
      "a,\"b \"\"c\"\", d\"\r\n\n\"two\nlines\",x\ny");
  BOOST_REQUIRE_EQUAL(records.size(), 3u);
  BOOST_TEST(records[0].fields[1] == "b \"c\", d");
  BOOST_TEST(records[1].line == 3u);
  BOOST_TEST(records[1].fields[0] == "two\nlines");
  BOOST_TEST(records[2].line == 5u);
  BOOST_TEST(records[2].fields.size() == 1u);
}

BOOST_AUTO_TEST_CASE(marks_broken_quotes) {
  BOOST_TEST(readCsv("\"open")[0].broken);
  const auto records = readCsv("\"a\"b,c\nd");
  BOOST_REQUIRE_EQUAL(records.size(), 2u);
  BOOST_TEST(records[0].broken);
  BOOST_TEST(!records[1].broken);
}

BOOST_AUTO_TEST_CASE(writes_what_it_reads_and_takes_the_sting_out_of_formulas) {
  const std::vector<std::string> fields{"a,b", "say \"x\"", "", "line\nend"};
  BOOST_TEST(readCsv(csvLine(fields))[0].fields == fields, boost::test_tools::per_element());
  BOOST_TEST(csvLine({"=1+1", "+x", "@y"}) == "'=1+1,'+x,'@y\r\n");
}

BOOST_AUTO_TEST_SUITE_END()
