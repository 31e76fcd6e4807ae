#include "core/smtp/ClientText.h"

using namespace postern::smtp;
using namespace std::string_literals;

namespace {

std::string line(std::size_t length, const char* end) {
  std::string text;
  text.resize(length, 'a');
  text += end;
  return text;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(core_smtp_ClientText)

BOOST_AUTO_TEST_CASE(refuses_bare_line_ends_nul_and_long_lines) {
  for (const auto& bytes : {"a\nb\r\n"s, "a\rb\r\n"s, "a\r\r\n"s, "a\r\n\n.\n\r\n"s, "a\0b\r\n"s, "a\r"s, "\n"s,
                            line(999, "\r\n"), line(999, "")})
    BOOST_TEST(!ClientText::check(bytes).has_value());
}

BOOST_AUTO_TEST_CASE(takes_lines_up_to_the_limit_without_copying) {
  const auto bytes = line(998, "\r\n\r\nbody\r\n");
  const auto text = ClientText::check(bytes);
  BOOST_REQUIRE(text.has_value());
  BOOST_TEST(text->wire().data() == bytes.data());
  BOOST_TEST(text->endsLine());
  BOOST_TEST(!text->hasEightBit());
}

BOOST_AUTO_TEST_CASE(stuffs_every_dot_at_the_start_of_a_line) {
  const auto bytes = ".a\r\n..\r\n.\r\nb.\r\n. c"s;
  const auto text = ClientText::check(bytes);
  BOOST_REQUIRE(text.has_value());
  BOOST_TEST(text->wire() == "..a\r\n...\r\n..\r\nb.\r\n.. c");
  BOOST_TEST(text->size() == bytes.size());
  BOOST_TEST(!text->endsLine());
}

BOOST_AUTO_TEST_CASE(tells_eight_bit_header_from_eight_bit_body) {
  const auto body = ClientText::check("Subject: a\r\n\r\n\xc3\xa9\r\n");
  BOOST_TEST(body->hasEightBit());
  BOOST_TEST(!body->hasEightBitHeader());
  const auto header = ClientText::check("Subject: \xc3\xa9\r\n\r\nb\r\n");
  BOOST_TEST(header->hasEightBitHeader());
}

BOOST_AUTO_TEST_SUITE_END()
