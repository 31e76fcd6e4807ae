#include "core/base/Error.h"
#include "core/mail/Date.h"
#include "core/mail/Message.h"
#include "core/mail/MessageId.h"
#include "core/mail/Parameters.h"

#include <random>

using namespace postern;
using namespace postern::mail;
using namespace std::string_literals;

namespace {

Message parse(std::string text) {
  auto message = Message::parse(std::move(text));
  BOOST_REQUIRE(message.has_value());
  return std::move(*message);
}

const std::string Body = "line\r\n.\r\n\xff\x00 odd\nline\r"s;
const std::string Plain =
    "Received: one\r\nFROM: Al <a@x.example>\r\nSubject: =?utf-8?Q?=C3=BC?=\r\n folded\r\nX-A: 1\r\n\r\n" + Body;

}  // namespace

BOOST_AUTO_TEST_SUITE(core_mail_Message)

BOOST_AUTO_TEST_CASE(reads_subject_from_and_id) {
  const auto message = parse(Plain);
  BOOST_TEST(message.subject() == "\xc3\xbc folded");
  BOOST_TEST(message.from().mailboxes.at(0).address->text() == "a@x.example");
  BOOST_TEST(!message.messageId().has_value());
  BOOST_TEST(*parse("Message-ID: <a@b>\r\n\r\n").messageId() == "<a@b>");
  BOOST_TEST(!parse("Message-ID: <a b@c>\r\n\r\n").messageId().has_value());
}

BOOST_AUTO_TEST_CASE(copies_share_the_bytes) {
  auto first = std::make_unique<Message>(parse("A: b\r\n\r\n"));
  const Message copy = *first;
  first.reset();
  BOOST_TEST(copy.header().fields().at(0).name == "A");
  BOOST_TEST(copy.bytes() == "A: b\r\n\r\n");
}

BOOST_AUTO_TEST_CASE(edits_are_splices_and_leave_all_else_as_it_was) {
  const auto message = parse(Plain);
  BOOST_TEST(message.edited({}) == Plain);
  BOOST_TEST(message.edited({HeaderEdit::prepend("New: 1\r\n")}) == "New: 1\r\n" + Plain);
  BOOST_TEST(message.edited({HeaderEdit::remove("subject"), HeaderEdit::remove("Nothing")}) ==
             "Received: one\r\nFROM: Al <a@x.example>\r\nX-A: 1\r\n\r\n" + Body);
  BOOST_TEST(
      message.edited({HeaderEdit::replace("From", "From: b@y.example\r\n"), HeaderEdit::append("Z: 1\r\n\t2\r\n")}) ==
      "Received: one\r\nFrom: b@y.example\r\nSubject: =?utf-8?Q?=C3=BC?=\r\n folded\r\nX-A: 1\r\nZ: 1\r\n\t2\r\n\r\n" +
          Body);
  BOOST_TEST(
      message.edited({HeaderEdit::replace("To", "To: c@z\r\n")}) ==
      "Received: one\r\nFROM: Al <a@x.example>\r\nSubject: =?utf-8?Q?=C3=BC?=\r\n folded\r\nX-A: 1\r\nTo: c@z\r\n\r\n" +
          Body);
}

BOOST_AUTO_TEST_CASE(replacing_takes_the_duplicates_away) {
  const auto message = parse("From: a@x\r\nTo: t@x\r\nfrom: b@x\r\n\r\n");
  BOOST_TEST(message.edited({HeaderEdit::replace("From", "From: c@x\r\n")}) == "From: c@x\r\nTo: t@x\r\n\r\n");
}

BOOST_AUTO_TEST_CASE(a_header_without_an_end_gets_one) {
  BOOST_TEST(parse("A: b").edited({HeaderEdit::append("C: d\r\n")}) == "A: b\r\nC: d\r\n\r\n");
  BOOST_TEST(parse("A: b\r\n").edited({}) == "A: b\r\n\r\n");
  BOOST_TEST(parse("").edited({HeaderEdit::append("C: d\r\n")}) == "C: d\r\n\r\n");
}

BOOST_AUTO_TEST_CASE(edits_that_are_no_whole_fields_are_refused) {
  const auto message = parse(Plain);
  for (const auto& lines :
       {"A: b"s, "A: b\n"s, "A: b\r\n\r\n"s, "no field\r\n"s, " fold\r\n"s, ""s, "A: b\r\n\r\nbody\r\n"s,
        "A: b\rc\r\n"s, "A: b\0\r\n"s, "\r\nA: b\r\n"s, "A: " + std::string(1000, 'x') + "\r\n"})
    BOOST_CHECK_THROW(message.edited({HeaderEdit::append(lines)}), Error);
}

BOOST_AUTO_TEST_CASE(the_body_survives_any_edit_of_any_header) {
  std::mt19937 random(4);
  const std::vector<std::string> pieces = {
      "A: b\r\n", "Subject : x\r\n", "junk\r\n", " fold\r\n", "From: a@x\r\n", "A\n", "\r", "A: c\n"};
  for (int round = 0; round < 1000; ++round) {
    std::string head;
    for (auto count = random() % 8; count > 0; --count) head += pieces[random() % pieces.size()];
    const auto message = parse(head + "\r\n" + Body);
    const auto body = std::string(message.body());
    const auto result = message.edited({HeaderEdit::remove("Subject"), HeaderEdit::replace("A", "A: new\r\n")});
    BOOST_REQUIRE(result.ends_with(body));
    BOOST_REQUIRE(parse(result).body().ends_with(body));
    BOOST_REQUIRE(parse(result).header().count("Subject") == 0u);
    BOOST_REQUIRE(parse(result).header().count("A") == 1u);
  }
}

BOOST_AUTO_TEST_CASE(dates_round_trip) {
  const auto time = TimePoint(std::chrono::sys_days(std::chrono::year(2026) / 3 / 1)) + std::chrono::hours(12);
  BOOST_TEST(formatDate(time) == "Sun, 01 Mar 2026 12:00:00 +0000");
  BOOST_TEST((parseDate("Sun, 01 Mar 2026 12:00:00 +0000") == time));
  BOOST_TEST((parseDate(" Sun,  1 Mar 2026 14:00:00 +0200 (CEST)\r\n") == time));
  BOOST_TEST((parseDate("1 Mar 26 07:00 EST") == time));
  BOOST_TEST((parseDate("01 mar 2026 12:00:00") == time));
  BOOST_TEST((parseDate("1 Mar 2026 12:00:00 GMT") == time));
  for (const auto* bad :
       {"", "yesterday", "31 Feb 2026 12:00:00 +0000", "1 Mar 2026 24:00:00 +0000", "1 Mar 2026 12:60 +0000",
        "1 Mar 2026 12:00:61 +0000", "1 Mar 99999 12:00 +0000", "1 Mar 2026 12:00 +0099", "1 Mar 2026", "((((("})
    BOOST_TEST(!parseDate(bad).has_value(), bad);
  for (std::int64_t micros = -2'000'000'000'000'000; micros < 4'000'000'000'000'000; micros += 7'777'777'000'000) {
    BOOST_REQUIRE((parseDate(formatDate(fromMicros(micros))) == fromMicros(micros)));
  }
}

BOOST_AUTO_TEST_CASE(message_ids_are_random_and_checked) {
  const auto domain = *DomainName::parse("lists.example");
  const auto id = makeMessageId(domain);
  BOOST_TEST(isMessageId(id));
  BOOST_TEST(id.size() == 26 + 1 + 13 + 2u);
  BOOST_TEST(id != makeMessageId(domain));
  for (const auto& bad : {""s, "<>"s, "<a>"s, "<@>"s, "<a@>"s, "<@b>"s, "a@b"s, "<a b@c>"s, "<a@b>>"s, "<<a@b>"s,
                          "<a\r\n@b>"s, "<" + std::string(300, 'x') + "@b>", "<\xc3\xbc@b>"s})
    BOOST_TEST(!isMessageId(bad), bad);
  const auto ids = parseMessageIds("<a@b> junk <c d> <e@f>\r\n\t<g@h>");
  BOOST_TEST(ids == (std::vector<std::string>{"<a@b>", "<e@f>", "<g@h>"}), boost::test_tools::per_element());
  BOOST_TEST(parseMessageIds("<a@b><c@d><e@f>", 2) == (std::vector<std::string>{"<c@d>", "<e@f>"}),
             boost::test_tools::per_element());
  BOOST_TEST(parseMessageIds(std::string(1u << 20, '<')).empty());
  BOOST_TEST(parseMessageIds(std::string(1u << 20, '>')).empty());
  std::string both;
  while (both.size() < (1u << 20)) both += "<>";
  BOOST_TEST(parseMessageIds(both).empty());
}

BOOST_AUTO_TEST_CASE(parameters_are_read_with_quotes_and_comments) {
  const auto type = parseParameterized(" Multipart/Mixed (c;c); boundary=\"a;b\\\"c\";\r\n charset=x; CHARSET=y;");
  BOOST_TEST(type.value == "multipart/mixed");
  BOOST_TEST(type.wellFormed);
  BOOST_TEST(type.hasComment);
  BOOST_TEST(type.find("boundary")->value == "a;b\"c");
  BOOST_TEST(type.find("boundary")->raw == "boundary=\"a;b\\\"c\"");
  BOOST_TEST(type.parameters.size() == 3u);
  for (const auto* bad : {"a/b; c", "a/b; c=\"x", "a/b; c=\"x\"y", "a/b (", "a/b; c=x y", "a/b; =x"})
    BOOST_TEST(!parseParameterized(bad).wellFormed, bad);
  std::string many = "a/b";
  while (many.size() < (1u << 20)) many += ";x=y";
  BOOST_TEST(!parseParameterized(many).wellFormed);
}

BOOST_AUTO_TEST_SUITE_END()
