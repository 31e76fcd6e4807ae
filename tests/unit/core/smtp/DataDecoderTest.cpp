#include "core/smtp/DataDecoder.h"

using namespace postern::smtp;

namespace {

struct Outcome {
  bool done = false;
  std::size_t used = 0;
  std::string content;
  ContentFindings findings;
};

Outcome decode(std::string_view bytes, std::size_t piece, const ContentLimits& limits = {}) {
  DataDecoder decoder(limits);
  Outcome outcome;
  while (outcome.used < bytes.size() && !decoder.done())
    outcome.used += decoder.feedData(bytes.substr(outcome.used, piece));
  outcome.done = decoder.done();
  outcome.findings = decoder.findings();
  outcome.content = decoder.takeContent();
  return outcome;
}

// Every way of splitting must give the same: one byte at a time, whole, and each split in two.
Outcome decodeAllWays(std::string_view bytes) {
  const auto whole = decode(bytes, bytes.size());
  for (std::size_t piece = 1; piece < std::min<std::size_t>(bytes.size(), 40); ++piece) {
    const auto other = decode(bytes, piece);
    BOOST_TEST(other.done == whole.done);
    BOOST_TEST(other.used == whole.used);
    BOOST_TEST(other.content == whole.content);
    BOOST_TEST(other.findings.lineEndText() == whole.findings.lineEndText());
  }
  return whole;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(core_smtp_DataDecoder)

BOOST_AUTO_TEST_CASE(ends_at_crlf_dot_crlf_and_leaves_what_follows) {
  const auto outcome = decodeAllWays("a\r\nb\r\n.\r\nQUIT\r\n");
  BOOST_TEST(outcome.done);
  BOOST_TEST(outcome.used == 9u);
  BOOST_TEST(outcome.content == "a\r\nb\r\n");
  BOOST_TEST(!outcome.findings.any());
}

BOOST_AUTO_TEST_CASE(takes_the_stuffed_dots_off) {
  BOOST_TEST(decodeAllWays("..\r\n..a\r\n.b\r\na.\r\n...\r\n.\r\n").content == ".\r\n.a\r\nb\r\na.\r\n..\r\n");
}

BOOST_AUTO_TEST_CASE(takes_an_empty_message) {
  const auto outcome = decodeAllWays(".\r\n");
  BOOST_TEST(outcome.done);
  BOOST_TEST(outcome.content.empty());
}

BOOST_AUTO_TEST_CASE(ends_at_nothing_else) {
  for (const std::string_view end :
       {"\n.\n", "\n.\r\n", "\r\n.\n", "\r.\r", "\r.\r\n", "\r\n.\r", "\r\n.\r\r\n", "\n.\r", "\r\n.\n\r\n",
        "\r\n\0.\r\n", "\r\n.\0\r\n", "\r\n .\r\n", "\r\n. \r\n", "\r\r\n.\r\r\n", "\n\r\n.\n\r\n", "\r\n\r.\r\n"}) {
    const std::string bytes = "text" + std::string(end) + "MAIL FROM:<a@b.example>\r\n";
    const auto outcome = decodeAllWays(bytes);
    BOOST_TEST(!outcome.done, "ended at case of " << end.size() << " octets");
  }
}

BOOST_AUTO_TEST_CASE(names_the_bytes_that_refuse) {
  BOOST_TEST(decodeAllWays("a\nb\r\n.\r\n").findings.lineEndText() == "a bare LF");
  BOOST_TEST(decodeAllWays("a\rb\r\n.\r\n").findings.lineEndText() == "a bare CR");
  BOOST_TEST(decodeAllWays({"a\0b\r\n.\r\n", 8}).findings.lineEndText() == "a NUL");
  BOOST_TEST(decodeAllWays("\n.\r\n\r\n.\r\n").findings.bareLf);
  BOOST_TEST(decodeAllWays(".\ra\r\n.\r\n").findings.bareCr);
  BOOST_TEST(decodeAllWays({"a\rb\nc\0\r\n.\r\n", 11}).findings.lineEndText() == "a bare CR and a bare LF and a NUL");
}

BOOST_AUTO_TEST_CASE(keeps_nothing_of_what_is_too_large_and_still_finds_the_end) {
  DataDecoder decoder({1000, 0});
  const std::string line(98, 'x');
  for (int i = 0; i < 100; ++i) decoder.feedData(line + "\r\n");
  BOOST_TEST(decoder.findings().tooLarge);
  BOOST_TEST(decoder.receivedBytes() == 10'000u);
  decoder.feedData(".\r\n");
  BOOST_TEST(decoder.done());
  BOOST_TEST(decoder.takeContent().empty());
}

BOOST_AUTO_TEST_CASE(takes_exactly_the_limit) {
  const std::string line(998, 'x');
  BOOST_TEST(!decode(line + "\r\n.\r\n", 7, {1000, 998}).findings.any());
  BOOST_TEST(decode(line + "y\r\n.\r\n", 7, {2000, 998}).findings.lineTooLong);
  BOOST_TEST(decode("y" + line + "\r\n.\r\n", 7, {1000, 0}).findings.tooLarge);
}

BOOST_AUTO_TEST_CASE(counts_a_line_without_its_stuffed_dot) {
  const std::string line(998, '.');
  BOOST_TEST(!decode("." + line + "\r\n.\r\n", 100).findings.any());
}

BOOST_AUTO_TEST_CASE(finds_the_end_behind_64_kib) {
  std::string bytes;
  while (bytes.size() < 65'536 - 2) bytes += "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcd\r\n";
  const auto body = bytes;
  const auto outcome = decode(bytes + "\n.\r\n" + "x\r\n.\r\nQUIT\r\n", 65'536);
  BOOST_TEST(outcome.done);
  BOOST_TEST(outcome.findings.bareLf);
  BOOST_TEST(outcome.used == bytes.size() + 4 + 6);
}

BOOST_AUTO_TEST_CASE(is_as_strict_with_chunks_and_knows_no_dots_there) {
  DataDecoder decoder({1000, 998});
  decoder.feedChunk("..a\r");
  decoder.feedChunk("\n.\r\nb");
  decoder.endOfChunks();
  BOOST_TEST(!decoder.findings().any());
  BOOST_TEST(decoder.takeContent() == "..a\r\n.\r\nb\r\n");
  for (const std::string_view bytes : {std::string_view("a\nb\r\n"), std::string_view("a\rb\r\n"),
                                       std::string_view("a\r"), std::string_view("a\0\r\n", 4)}) {
    DataDecoder strict({1000, 998});
    strict.feedChunk(bytes);
    strict.endOfChunks();
    BOOST_TEST(!strict.findings().lineEndText().empty());
    BOOST_TEST(strict.takeContent().empty());
  }
}

BOOST_AUTO_TEST_SUITE_END()
