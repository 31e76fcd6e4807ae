#include "core/base/Error.h"
#include "core/smtp/Reply.h"

using namespace postern;
using namespace postern::smtp;

BOOST_AUTO_TEST_SUITE(core_smtp_Reply)

BOOST_AUTO_TEST_CASE(puts_code_and_enhanced_code_on_every_line) {
  auto reply = makeReply(ReplyId::MessageRefused).line("second").line("third");
  BOOST_TEST(reply.render() ==
             "550-5.7.1 refused by policy; nothing was delivered to anyone\r\n550-5.7.1 second\r\n550 5.7.1 third\r\n");
}

BOOST_AUTO_TEST_CASE(lets_no_line_end_through_from_what_it_quotes) {
  const auto text = makeReply(ReplyId::SyntaxError, {"a\r\n250 ok\0b"}).line("x\ny\rz").render();
  std::size_t ends = 0;
  for (std::size_t at = 0; (at = text.find('\n', at)) != std::string::npos; ++at) {
    ++ends;
    BOOST_TEST(text[at - 1] == '\r');
  }
  BOOST_TEST(ends == 2u);
}

BOOST_AUTO_TEST_CASE(wraps_long_texts_within_512_octets_and_loses_none_of_them) {
  for (const bool blanks : {true, false}) {
    std::string text;
    while (text.size() < 3000) text += blanks ? "word " : "wordword";
    const auto wire = makeReply(ReplyId::SyntaxError, {text}).render();
    std::size_t letters = 0;
    for (std::size_t start = 0; start < wire.size();) {
      const auto end = wire.find("\r\n", start);
      BOOST_TEST(end - start + 2 <= 512u);
      letters += static_cast<std::size_t>(
          std::count(wire.begin() + static_cast<long>(start), wire.begin() + static_cast<long>(end), 'w'));
      start = end + 2;
    }
    BOOST_TEST(letters == static_cast<std::size_t>(std::count(text.begin(), text.end(), 'w')));
  }
}

BOOST_AUTO_TEST_CASE(shows_utf8_only_to_those_who_asked_for_it) {
  const auto reply = makeReply(ReplyId::SyntaxError, {"gr\xc3\xbc\xc3\x9f"});
  BOOST_TEST(reply.render(false) == "501 5.5.4 gr????\r\n");
  BOOST_TEST(reply.render(true) == "501 5.5.4 gr\xc3\xbc\xc3\x9f\r\n");
}

BOOST_AUTO_TEST_CASE(does_not_break_a_character_in_two) {
  std::string text;
  for (int i = 0; i < 400; ++i) text += "\xe2\x82\xac";
  const auto wire = makeReply(ReplyId::SyntaxError, {text}).render(true);
  for (std::size_t at = wire.find("501"); at != std::string::npos; at = wire.find("501", at + 1))
    BOOST_TEST((static_cast<unsigned char>(wire[at + 10]) & 0xc0) != 0x80);
}

BOOST_AUTO_TEST_CASE(insists_on_its_arguments) {
  BOOST_CHECK_THROW(makeReply(ReplyId::Accepted), Error);
}

BOOST_AUTO_TEST_CASE(has_enhanced_codes_that_agree_with_the_codes) {
  for (int i = 0; i <= static_cast<int>(ReplyId::BodyTypeNotTaken); ++i) {
    const auto reply = makeReply(static_cast<ReplyId>(i), {"x"});
    if (!reply.enhanced.empty()) BOOST_TEST(std::to_string(reply.code)[0] == reply.enhanced[0]);
  }
}

BOOST_AUTO_TEST_SUITE_END()
