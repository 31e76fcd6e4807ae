#include "core/mail/Header.h"
#include "core/mail/Text.h"

using namespace postern::mail;
using namespace std::string_literals;

namespace {

HeaderBlock scan(std::string_view text) {
  auto block = HeaderBlock::scan(text);
  BOOST_REQUIRE(block.has_value());
  return std::move(*block);
}

bool onlyDefect(const std::string& text, HeaderDefect defect) {
  const auto block = scan(text);
  return block.findings().size() == 1 && block.findings().front().defect == defect;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(core_mail_Header)

BOOST_AUTO_TEST_CASE(spans_cover_the_header_byte_for_byte) {
  const std::string text = "Received: a\r\n\tb\r\nFROM:x@y\r\nSubject: \r\n\r\nbody\r\n";
  const auto block = scan(text);
  BOOST_TEST(block.findings().empty());
  BOOST_REQUIRE(block.fields().size() == 3u);
  BOOST_TEST(block.fields()[0].name == "Received");
  BOOST_TEST(block.fields()[0].value == " a\r\n\tb");
  BOOST_TEST(block.fields()[0].raw == "Received: a\r\n\tb\r\n");
  BOOST_TEST(text.substr(block.bodyOffset()) == "body\r\n");
  BOOST_TEST(*block.value("from") == "x@y");
  BOOST_TEST(*block.value("subject") == "");
  BOOST_TEST(block.count("RECEIVED") == 1u);
  BOOST_TEST(!block.value("Date").has_value());
}

BOOST_AUTO_TEST_CASE(names_each_defect) {
  BOOST_TEST(onlyDefect("A: b\rc\r\n\r\n", HeaderDefect::BareCr));
  BOOST_TEST(onlyDefect("A: b\nB: c\r\n\r\n", HeaderDefect::BareLf));
  BOOST_TEST(onlyDefect("A: b\0c\r\n\r\n"s, HeaderDefect::Nul));
  BOOST_TEST(onlyDefect("A: b\r\nno field\r\n\r\n", HeaderDefect::MissingColon));
  BOOST_TEST(onlyDefect("A b: c\r\n\r\n", HeaderDefect::BadName));
  BOOST_TEST(onlyDefect(": c\r\n\r\n", HeaderDefect::BadName));
  BOOST_TEST(onlyDefect("Subject : c\r\n\r\n", HeaderDefect::SpaceBeforeColon));
  BOOST_TEST(onlyDefect("A: " + std::string(996, 'x') + "\r\n\r\n", HeaderDefect::LineTooLong));
  BOOST_TEST(scan("A: " + std::string(995, 'x') + "\r\n\r\n").findings().empty());
  BOOST_TEST(onlyDefect(" folded\r\nA: b\r\n\r\n", HeaderDefect::StrayFold));
  BOOST_TEST(onlyDefect("A: b\r\n \t\r\n c\r\n\r\n", HeaderDefect::BlankFold));
  BOOST_TEST(onlyDefect("A: \xff\r\n\r\n", HeaderDefect::NotUtf8));
  BOOST_TEST(onlyDefect("A: b\r\n", HeaderDefect::NoEnd));
  BOOST_TEST(onlyDefect("A: b", HeaderDefect::NoEnd));
  BOOST_TEST(onlyDefect("", HeaderDefect::NoEnd));
}

BOOST_AUTO_TEST_CASE(finds_duplicates_of_single_fields_whatever_their_case) {
  for (const auto* name : {"From", "Sender", "Reply-To", "To", "Cc", "Message-ID", "Date", "Subject", "Content-Type",
                           "MIME-Version", "Content-Transfer-Encoding", "In-Reply-To", "References"}) {
    const auto block = scan(std::string(name) + ": a\r\nX: y\r\n" + lowerAscii(name) + ": b\r\n\r\n");
    BOOST_REQUIRE_MESSAGE(block.findings().size() == 1, name);
    BOOST_TEST(block.findings().front().field == lowerAscii(name));
  }
  BOOST_TEST(scan("Received: a\r\nReceived: b\r\n\r\n").findings().empty());
}

BOOST_AUTO_TEST_CASE(a_blank_before_the_colon_does_not_hide_a_duplicate) {
  const auto block = scan("Subject: a\r\nSubject : Secure: b\r\n\r\n");
  BOOST_TEST(block.has(HeaderDefect::DuplicateField));
  BOOST_TEST(block.has(HeaderDefect::SpaceBeforeColon));
  BOOST_TEST(block.count("Subject") == 2u);
}

BOOST_AUTO_TEST_CASE(bombs_stay_linear) {
  const auto start = std::chrono::steady_clock::now();
  std::string many;
  for (int i = 0; i < 100'000; ++i) many += "Subject: x\r\n";
  many += "\r\n";
  const auto block = scan(many);
  BOOST_TEST(block.fields().size() == 100'000u);
  BOOST_TEST(block.findings().size() == 1u);

  std::string folded = "A: x\r\n";
  while (folded.size() < (1u << 20)) folded += " y\r\n";
  folded += "\r\n";
  BOOST_TEST(unfold(scan(folded).find("A")->value).size() > 400'000u);
  std::string longLine = "A: " + std::string(1u << 20, 'x') + "\r\n\r\n";
  BOOST_TEST(scan(longLine).has(HeaderDefect::LineTooLong));
  BOOST_TEST((std::chrono::steady_clock::now() - start < std::chrono::seconds(2)));
}

BOOST_AUTO_TEST_CASE(limits_are_errors) {
  std::string many;
  for (int i = 0; i < 11; ++i) many += "A: x\r\n";
  many += "\r\n";
  BOOST_TEST((HeaderBlock::scan(many, {.maxBytes = 1000, .maxFields = 10}).error() == HeaderError::TooManyFields));
  BOOST_TEST((HeaderBlock::scan(many, {.maxBytes = 20, .maxFields = 100}).error() == HeaderError::TooLarge));
  BOOST_TEST(
      HeaderBlock::scan("A: b\r\n\r\n" + std::string(5000, 'x'), {.maxBytes = 20, .maxFields = 100}).has_value());
}

BOOST_AUTO_TEST_CASE(strict_line_ends_are_recognised) {
  BOOST_TEST(isCanonical(""));
  BOOST_TEST(isCanonical("a\r\n"));
  for (const auto& bad : {"a"s, "a\n"s, "a\r"s, "a\r\r\n"s, "\n\r"s, "a\r\nb\n"s, "a\0\r\n"s, "\r\n\r"s})
    BOOST_TEST(!isCanonical(bad));
}

BOOST_AUTO_TEST_SUITE_END()
