#include "core/base/Error.h"
#include "core/mail/EncodedWord.h"
#include "core/mail/Header.h"
#include "core/mail/Message.h"
#include "core/mail/Text.h"

#include <random>

using namespace postern::mail;
using namespace std::string_literals;

namespace {

// The text that a field of encodeUnstructured gives back to a reader.
std::string roundTrip(std::string_view text) {
  const std::string field = encodeUnstructured("Subject", text);
  BOOST_TEST(areWholeFields(field));
  const auto block = HeaderBlock::scan(field);
  BOOST_REQUIRE(block.has_value());
  BOOST_REQUIRE(block->fields().size() == 1u);
  return decodeUnstructured(block->fields().front().value);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(core_mail_EncodedWord)

BOOST_AUTO_TEST_CASE(decodes_both_encodings_and_many_charsets) {
  BOOST_TEST(decodeUnstructured(" plain text") == "plain text");
  BOOST_TEST(decodeUnstructured("=?utf-8?Q?Sec=75re:_x?=") == "Secure: x");
  BOOST_TEST(decodeUnstructured("=?UTF-8?b?U2VjdXJlOiB4?=") == "Secure: x");
  BOOST_TEST(decodeUnstructured("=?ISO-8859-1?Q?gr=FC=DFe?=") ==
             "gr\xc3\xbc\xc3\x9f"
             "e");
  BOOST_TEST(decodeUnstructured("=?windows-1252?Q?=80?=") == "\xe2\x82\xac");
  BOOST_TEST(decodeUnstructured("=?koi8-r?B?8NLJ18XU?=") == "\xd0\x9f\xd1\x80\xd0\xb8\xd0\xb2\xd0\xb5\xd1\x82");
  BOOST_TEST(decodeUnstructured("=?iso-2022-jp?B?GyRCRnxLXBsoQg==?=") == "\xe6\x97\xa5\xe6\x9c\xac");
  BOOST_TEST(decodeUnstructured("=?utf-8*en?Q?hi?=") == "hi");
  BOOST_TEST(decodeUnstructured("=?utf-16be?B?AFMAZQBj?=") == "Sec");
}

BOOST_AUTO_TEST_CASE(joins_words_even_within_a_character) {
  BOOST_TEST(decodeUnstructured("=?utf-8?Q?Sec?=\r\n =?utf-8?Q?ure:?= x") == "Secure: x");
  BOOST_TEST(decodeUnstructured("=?utf-8?Q?=C3?= =?UTF-8?Q?=BC?=") == "\xc3\xbc");
  BOOST_TEST(decodeUnstructured("=?utf-8?B?4oI=?= =?utf-8?B?rA==?=") == "\xe2\x82\xac");
  BOOST_TEST(decodeUnstructured("=?utf-8?Q?a?= =?iso-8859-1?Q?=FC?=") == "a\xc3\xbc");
  BOOST_TEST(decodeUnstructured("a =?utf-8?Q?b?= c =?utf-8?Q?d?=") == "a b c d");
}

BOOST_AUTO_TEST_CASE(a_tag_cannot_hide_in_an_odd_word) {
  BOOST_TEST(decodeUnstructured("=?utf-8?Q?Sec ure:?=") == "Sec ure:");
  BOOST_TEST(decodeUnstructured("Re:=?utf-8?Q?Secure:?=") == "Re:Secure:");
  BOOST_TEST(decodeUnstructured("=?utf-8?Q?Se?==?utf-8?Q?cure:?=") == "Secure:");
  BOOST_TEST(decodeUnstructured("=?utf-8?B?U2Vj dXJl Og?=") == "Secure:");
  BOOST_TEST(decodeUnstructured("Sec\r\n ure") == "Sec ure");
  for (const auto* charset : {"no-such-charset", "../../evil", "utf-8//TRANSLIT"})
    BOOST_TEST(decodeUnstructured(std::string("=?").append(charset).append("?Q?Secure=3A_=E9?=")) ==
               "Secure: \xef\xbf\xbd");
}

BOOST_AUTO_TEST_CASE(leaves_invalid_words_as_they_are) {
  for (const auto* text :
       {"=?utf-8?X?abc?=", "=?utf-8?Q?abc", "=??Q?abc?=", "=?utf-8?Q?a?b?=", "=?", "=?=?=?", "=?utf-8?Q"})
    BOOST_TEST(decodeUnstructured(text) == text);
  BOOST_TEST(decodeUnstructured("=?utf-8?Q?a=ZZb=4?=") == "a=ZZb=4");
}

BOOST_AUTO_TEST_CASE(result_is_valid_utf8_on_one_line) {
  BOOST_TEST(decodeUnstructured("caf\xe9") == "caf\xef\xbf\xbd");
  BOOST_TEST(decodeUnstructured("=?utf-8?Q?=FF=C3?=") == "\xef\xbf\xbd\xef\xbf\xbd");
  BOOST_TEST(decodeUnstructured("=?utf-8?Q?a=0D=0ABcc:_x?=") == "a  Bcc: x");
  BOOST_TEST(isUtf8(decodeUnstructured("=?utf-7?Q?+2AA-?=")));
}

BOOST_AUTO_TEST_CASE(bombs_stay_linear) {
  const auto start = std::chrono::steady_clock::now();
  for (const auto* piece :
       {"=?utf-8?Q?=C3?= ", "=?a?q?x", "=?", "=?utf-8?B?", "=?x?q?a?= ", "=?iso-8859-1?q?a?= =?utf-8?q?b?= "}) {
    std::string value;
    while (value.size() < (1u << 20)) value += piece;
    BOOST_TEST(isUtf8(decodeUnstructured(value)));
  }
  BOOST_TEST((std::chrono::steady_clock::now() - start < std::chrono::seconds(8)));
}

BOOST_AUTO_TEST_CASE(writes_ascii_as_it_is_and_folds_at_78) {
  BOOST_TEST(encodeUnstructured("Subject", "Hello world") == "Subject: Hello world\r\n");
  BOOST_TEST(encodeUnstructured("Subject", "") == "Subject: \r\n");
  std::string text;
  for (int i = 0; i < 100; ++i) text += "word" + std::to_string(i) + " ";
  text.pop_back();
  const auto field = encodeUnstructured("Subject", text);
  std::size_t at = 0;
  while (at < field.size()) {
    const auto end = field.find("\r\n", at);
    BOOST_TEST(end - at <= 78u);
    at = end + 2;
  }
  BOOST_TEST(roundTrip(text) == text);
}

BOOST_AUTO_TEST_CASE(nothing_can_be_injected) {
  BOOST_TEST(encodeUnstructured("Subject", "a\r\nBcc: x@y\r\n\r\nbody") == "Subject: a  Bcc: x@y    body\r\n");
  BOOST_TEST(encodeUnstructured("Subject", "a\0b\x1b"s) == "Subject: a b\r\n");
  BOOST_TEST(roundTrip("=?utf-8?Q?=0D=0ABcc:_x?=") == "=?utf-8?Q?=0D=0ABcc:_x?=");
  BOOST_TEST(roundTrip("a =?utf-8?Q?b?= \xc3\xbc") == "a =?utf-8?Q?b?= \xc3\xbc");
  BOOST_CHECK_THROW(encodeUnstructured("Sub ject", "x"), postern::Error);
  BOOST_CHECK_THROW(encodeUnstructured("A: b\r\nC", "x"), postern::Error);
  BOOST_CHECK_THROW(foldTokens("A", "a\r\nB: c"), postern::Error);
}

BOOST_AUTO_TEST_CASE(whatever_is_written_reads_back) {
  BOOST_TEST(roundTrip("Gr\xc3\xbc\xc3\x9f"
                       "e an alle") ==
             "Gr\xc3\xbc\xc3\x9f"
             "e an alle");
  BOOST_TEST(roundTrip("a  b \xc3\xbc  \xc3\xbc c") == "a  b \xc3\xbc  \xc3\xbc c");
  BOOST_TEST(roundTrip(std::string(5000, 'x')) == std::string(5000, 'x'));
  std::mt19937 random(1);
  const std::vector<std::string> pieces = {"a",  " ",      "=?", "?=", "\xc3\xbc", "\xe6\x97\xa5", "\xf0\x9f\x94\x92",
                                           "_",  "?",      "=",  "\"", "\\",       "<x@y>",        "\r\n",
                                           "\t", "Secure:"};
  for (int round = 0; round < 2000; ++round) {
    std::string text;
    for (auto count = random() % 60; count > 0; --count) text += pieces[random() % pieces.size()];
    std::string expected = text;
    for (char& c : expected)
      if (hasControl({&c, 1})) c = ' ';
    BOOST_REQUIRE_EQUAL(roundTrip(text), trim(expected));
  }
}

BOOST_AUTO_TEST_CASE(no_line_passes_998_whatever_comes) {
  std::mt19937 random(2);
  for (int round = 0; round < 300; ++round) {
    std::string bytes;
    for (auto count = random() % 5000; count > 0; --count) bytes += static_cast<char>(random());
    BOOST_REQUIRE(areWholeFields(encodeUnstructured("X", bytes)));
    std::string blanks(random() % 3000, ' ');
    BOOST_REQUIRE(areWholeFields(encodeUnstructured("X", "a" + blanks + "b")));
  }
}

BOOST_AUTO_TEST_SUITE_END()
