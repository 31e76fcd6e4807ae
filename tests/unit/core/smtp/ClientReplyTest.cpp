#include "core/smtp/ClientReply.h"

using namespace postern::smtp;
using namespace std::string_literals;

namespace {

std::string longLine(std::string text, std::size_t length) {
  text.resize(text.size() + length, '2');
  text += "\r\n";
  return text;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(core_smtp_ClientReply)

BOOST_AUTO_TEST_CASE(reads_single_and_multi_line_replies_in_any_pieces) {
  const auto bytes = "250-sink\r\n250-SIZE 1000\r\n250 OK\r\n354 go\r\n221\r\n"s;
  for (std::size_t piece = 1; piece < bytes.size(); ++piece) {
    ClientReplyParser parser;
    std::vector<ClientReply> replies;
    for (std::size_t at = 0; at < bytes.size(); at += piece) {
      parser.feed(std::string_view(bytes).substr(at, piece));
      for (auto reply = parser.next(); reply.has_value() && *reply; reply = parser.next()) replies.push_back(**reply);
    }
    BOOST_REQUIRE_EQUAL(replies.size(), 3u);
    BOOST_TEST(replies[0].code == 250);
    BOOST_TEST(replies[0].lines == (std::vector<std::string>{"sink", "SIZE 1000", "OK"}),
               boost::test_tools::per_element());
    BOOST_TEST(replies[1].code == 354);
    BOOST_TEST(replies[2].code == 221);
    BOOST_TEST(!parser.hasUnread());
  }
}

BOOST_AUTO_TEST_CASE(refuses_what_is_no_reply_and_stays_refusing) {
  for (const auto& bytes : {"250 OK\n"s, "25 OK\r\n"s, "150 OK\r\n"s, "650 OK\r\n"s, "2x0 OK\r\n"s, "250_OK\r\n"s,
                            "\r\n"s, "250-a\r\n251 b\r\n"s, "250 a\rb\r\n"s, "250 a\0b\r\n"s, "hello\r\n"s,
                            longLine("", 3000), longLine("250 ", 3000)}) {
    ClientReplyParser parser;
    parser.feed(bytes);
    auto reply = parser.next();
    while (reply.has_value() && *reply) reply = parser.next();
    BOOST_TEST(!reply.has_value(), "taken: " << printable(bytes, 40));
    parser.feed("250 OK\r\n");
    BOOST_TEST(!parser.next().has_value());
  }
}

BOOST_AUTO_TEST_CASE(caps_the_number_of_lines) {
  ClientReplyParser parser;
  for (int i = 0; i < 129; ++i) parser.feed("250-x\r\n");
  BOOST_TEST(!parser.next().has_value());
}

BOOST_AUTO_TEST_CASE(shows_only_printable_text_of_bounded_length) {
  ClientReply reply;
  reply.code = 550;
  reply.lines = {"a\x1b[31m\xc3\xa9", std::string(600, 'b')};
  const auto text = reply.text();
  BOOST_TEST(text.size() == 512u);
  BOOST_TEST(text.starts_with("a?[31m?? bbb"));
}

BOOST_AUTO_TEST_SUITE_END()
