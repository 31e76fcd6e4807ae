#include "core/mail/Header.h"
#include "core/mail/Mailboxes.h"
#include "core/mail/Message.h"
#include "core/mail/Text.h"

#include <random>

using namespace postern::mail;
using namespace std::string_literals;

namespace {

// "name|address" of each mailbox; "?" in front of a list that is not well-formed.
std::string shape(std::string_view value) {
  const auto list = parseMailboxes(value);
  std::string result = list.wellFormed ? "" : "?";
  for (const auto& mailbox : list.mailboxes)
    result +=
        "[" + mailbox.displayName + "|" + (mailbox.address ? mailbox.address->text() : "!" + mailbox.written) + "]";
  return result;
}

Address address(std::string_view text) {
  return *Address::parse(text);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(core_mail_Mailboxes)

BOOST_AUTO_TEST_CASE(reads_the_forms_of_the_rfc) {
  BOOST_TEST(shape("a@x.example") == "[|a@x.example]");
  BOOST_TEST(shape("Alice <a@x.example>") == "[Alice|a@x.example]");
  BOOST_TEST(shape("\"Smith, Alice\" <a@x.example>, b@y.example") == "[Smith, Alice|a@x.example][|b@y.example]");
  BOOST_TEST(shape("a@x.example (Alice Smith)") == "[Alice Smith|a@x.example]");
  BOOST_TEST(shape("Alice (the (nested) one) <a@x.example>") == "[Alice|a@x.example]");
  BOOST_TEST(shape("Team: a@x.example, Bob <b@y.example>;, c@z.example") ==
             "[|a@x.example][Bob|b@y.example][|c@z.example]");
  BOOST_TEST(shape("Undisclosed recipients:;") == "");
  BOOST_TEST(shape("=?utf-8?Q?J=C3=BCrgen?= <j@x.example>") == "[J\xc3\xbcrgen|j@x.example]");
  BOOST_TEST(shape("a . b @ x.example") == "[|a.b@x.example]");
  BOOST_TEST(shape("<@r.example,@s.example:a@x.example>") == "[|a@x.example]");
  BOOST_TEST(shape("\"quoted local\"@x.example") == "[|\"quoted local\"@x.example]");
  BOOST_TEST(shape("Alice\r\n <a@x.example>,\r\n b@y.example") == "[Alice|a@x.example][|b@y.example]");
  BOOST_TEST(shape("a@x.example,, b@y.example,") == "[|a@x.example][|b@y.example]");
}

BOOST_AUTO_TEST_CASE(says_when_it_had_to_guess) {
  BOOST_TEST(shape("Alice <a@x.example> <b@y.example>").front() == '?');
  BOOST_TEST(shape("Alice <a@x.example> Bob").front() == '?');
  BOOST_TEST(shape("\"Alice <a@x.example>").front() == '?');
  BOOST_TEST(shape("Alice <a@x.example").front() == '?');
  BOOST_TEST(shape("Alice <>").front() == '?');
  BOOST_TEST(shape("a@x.example; b@y.example").front() == '?');
  BOOST_TEST(shape("Team: a@x.example").front() == '?');
  BOOST_TEST(shape("(comment a@x.example").front() == '?');
}

BOOST_AUTO_TEST_CASE(never_makes_an_address_out_of_two_words) {
  BOOST_TEST(shape("alice bob@x.example") == "[|!alice bob@x.example]");
  BOOST_TEST(shape("Alice <alice bob@x.example>") == "[Alice|!alice bob@x.example]");
  BOOST_TEST(shape("alice@x.example bob") == "[|!alice@x.example bob]");
}

BOOST_AUTO_TEST_CASE(display_names_are_one_clean_line) {
  BOOST_TEST(shape("=?utf-8?Q?A=0D=0A=00=1BB?= <a@x.example>") == "[A B|a@x.example]");
}

BOOST_AUTO_TEST_CASE(bombs_stay_linear_and_bounded) {
  const auto start = std::chrono::steady_clock::now();
  std::string many;
  for (int i = 0; i < 50'000; ++i) many += "User" + std::to_string(i) + " <u" + std::to_string(i) + "@x.example>,\r\n ";
  BOOST_TEST(parseMailboxes(many, 60'000).mailboxes.size() == 50'000u);
  const auto few = parseMailboxes(many, 100);
  BOOST_TEST(few.mailboxes.size() == 100u);
  BOOST_TEST(few.truncated);
  BOOST_TEST(!few.wellFormed);
  for (const char c : "(<\",;:@\\)>"s) parseMailboxes(std::string(1u << 20, c));
  parseMailboxes("a" + std::string(1u << 20, ' ') + "b@x.example");
  std::string blanks;
  while (blanks.size() < (1u << 20)) blanks += " (";
  parseMailboxes(blanks);
  BOOST_TEST((std::chrono::steady_clock::now() - start < std::chrono::seconds(5)));
}

BOOST_AUTO_TEST_CASE(writes_names_that_cannot_break_out) {
  const auto a = address("a@x.example");
  BOOST_TEST(formatMailbox("", a) == "a@x.example");
  BOOST_TEST(formatMailbox("Alice Smith", a) == "Alice Smith <a@x.example>");
  BOOST_TEST(formatMailbox("Smith, Alice", a) == "\"Smith, Alice\" <a@x.example>");
  BOOST_TEST(formatMailbox("x\" <evil@y>, \"", a) == "\"x\\\" <evil@y>, \\\"\" <a@x.example>");
  BOOST_TEST(formatMailbox("a\r\nBcc: b@y", a) == "\"a Bcc: b@y\" <a@x.example>");
}

BOOST_AUTO_TEST_CASE(whatever_name_is_written_reads_back_with_the_same_address) {
  std::mt19937 random(3);
  const std::vector<std::string> pieces = {"Al",
                                           " ",
                                           ",",
                                           "<",
                                           ">",
                                           "\"",
                                           "\\",
                                           "(",
                                           ")",
                                           "@",
                                           ":",
                                           ";",
                                           "=?",
                                           "?=",
                                           "\r\n",
                                           "\xc3\xbc",
                                           "\xf0\x9f\x94\x92",
                                           "\0"s,
                                           "evil@y.example"};
  const auto expected = address("\"odd local\"@x.example");
  for (int round = 0; round < 3000; ++round) {
    std::string name;
    for (auto count = random() % 30; count > 0; --count) name += pieces[random() % pieces.size()];
    if (round % 10 == 0) name += std::string(3000, 'x');
    const auto field = mailboxField("From", {{name, expected}});
    BOOST_REQUIRE(areWholeFields(field));
    const auto block = HeaderBlock::scan(field);
    BOOST_REQUIRE(block->fields().size() == 1u);
    const auto list = parseMailboxes(block->fields().front().value);
    BOOST_REQUIRE(list.wellFormed);
    BOOST_REQUIRE(list.mailboxes.size() == 1u);
    BOOST_REQUIRE(list.mailboxes.front().address == expected);
    std::string shown = name;
    for (char& c : shown)
      if (hasControl({&c, 1})) c = ' ';
    shown.erase(std::unique(shown.begin(), shown.end(), [](char x, char y) { return x == ' ' && y == ' '; }),
                shown.end());
    BOOST_REQUIRE_EQUAL(list.mailboxes.front().displayName, trim(shown));
  }
}

BOOST_AUTO_TEST_SUITE_END()
