#include "core/base/Error.h"
#include "core/mail/Message.h"
#include "core/mail/MimeTree.h"
#include "core/mail/Text.h"
#include "listd/compose/Bounce.h"
#include "listd/compose/LoopGuard.h"
#include "listd/compose/Notice.h"

using namespace postern;
using namespace postern::listd;
using namespace std::string_literals;

namespace {

const TimePoint Noon = TimePoint(std::chrono::sys_days(std::chrono::year(2026) / 3 / 1)) + std::chrono::hours(12);
const NoticeStamp Stamp{"<abcdefghijklmnopqrstuvwxyz@lists.example>", Noon};
const mail::Address Carol = *mail::Address::parse("carol@x.example");

ListFacts board() {
  return {*mail::Address::parse("board@lists.example"), "The Board", "About us", true, "https://help.example/keys"};
}

ReportFacts facts(DeliveryCounts counts) {
  return {"mx.lists.example", "q123", Noon, counts};
}

mail::Message parse(const std::string& text) {
  BOOST_TEST(mail::isCanonical(text));
  auto message = mail::Message::parse(text);
  BOOST_REQUIRE(message.has_value());
  BOOST_TEST(message->header().findings().empty());
  BOOST_TEST(mail::isAscii(text));
  return std::move(*message);
}

bool has(std::string_view text, std::string_view what) {
  return text.find(what) != text.npos;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(listd_compose_Notice)

BOOST_AUTO_TEST_CASE(a_withheld_notice_tells_why_and_where_to_get_help) {
  for (int i = 0; i <= static_cast<int>(WithheldReason::SealingFailed); ++i) {
    const auto message = parse(withheldNotice(board(), Carol, static_cast<WithheldReason>(i), Stamp));
    BOOST_TEST(message.subject() == "A message to The Board could not be sent to you");
    BOOST_TEST(*message.header().value("To") == "carol@x.example");
    BOOST_TEST(*message.header().value("From") == "\"The Board (list service)\" <board-owner@lists.example>");
    BOOST_TEST(*message.header().value("Auto-Submitted") == "auto-generated");
    const auto tree = mail::MimeTree::parse(message);
    BOOST_TEST(tree.ambiguities().empty());
    BOOST_TEST(has(tree.parts().at(0).text, "https://help.example/keys"));
    BOOST_TEST(has(tree.parts().at(0).text, "board-owner@lists.example"));
  }
  BOOST_TEST(withheldReasonName(WithheldReason::NoKey) == "no-key"s);
  BOOST_TEST(withheldReasonName(WithheldReason::SealingFailed) == "sealing-failed"s);
}

BOOST_AUTO_TEST_CASE(a_report_speaks_of_the_list_and_of_numbers) {
  const auto message = parse(deliveryReport(board(), Carol, facts({40, 1, 2, 3}), Stamp));
  const auto tree = mail::MimeTree::parse(message);
  BOOST_TEST(tree.ambiguities().empty());
  BOOST_REQUIRE(tree.parts().size() == 3u);
  BOOST_TEST(tree.parts()[0].type == "multipart/report");
  BOOST_TEST(tree.parts()[2].type == "message/delivery-status");
  BOOST_TEST(has(tree.parts()[1].text, "delivered: 40 members"));
  BOOST_TEST(has(tree.parts()[1].text, "delayed, we keep trying: 1 member\r\n"));
  const auto& fields = tree.parts()[2].text;
  BOOST_TEST(has(fields, "Reporting-MTA: dns; mx.lists.example\r\n"));
  BOOST_TEST(has(fields, "Final-Recipient: rfc822; board@lists.example\r\nAction: failed\r\nStatus: 5.0.0\r\n"));
  BOOST_TEST(has(fields, "X-Postern-Withheld: 2\r\n"));
  BOOST_TEST(has(parse(deliveryReport(board(), Carol, facts({40, 0, 0, 0}), Stamp)).bytes(), "Action: delivered"));
  BOOST_TEST(has(parse(deliveryReport(board(), Carol, facts({40, 1, 0, 0}), Stamp)).bytes(), "Action: delayed"));
}

BOOST_AUTO_TEST_CASE(the_author_of_domain_mail_is_told_who_has_not_got_it_and_why) {
  std::vector<FailedRecipient> failed{
      {"sam@smime.example", false, "5.1.1"}, {"nora@nothing.example", true, {}}, {"tim@away.example", false, {}}};
  const auto message = parse(failureReport(board(), Carol, facts({1, 0, 1, 2}), failed, Stamp));
  const auto tree = mail::MimeTree::parse(message);
  BOOST_TEST(tree.ambiguities().empty());
  BOOST_REQUIRE(tree.parts().size() == 3u);
  BOOST_TEST(has(tree.parts()[1].text, "there is no such mailbox"));
  BOOST_TEST(has(tree.parts()[1].text, "held back, as we cannot protect it for them"));
  BOOST_TEST(has(tree.parts()[1].text, "no server took it in time"));
  const auto& fields = tree.parts()[2].text;
  BOOST_TEST(has(fields, "Final-Recipient: rfc822; sam@smime.example\r\nAction: failed\r\nStatus: 5.1.1\r\n"));
  BOOST_TEST(has(fields, "Final-Recipient: rfc822; nora@nothing.example\r\nAction: failed\r\nStatus: 5.7.0\r\n"));
  BOOST_TEST((readBounce(message).kind == Bounce::Kind::Failure));
  BOOST_TEST(findLoop(message, "someone@x.example", board()).has_value());
  failed.assign(1000, {"many@x.example", false, "5.1.1\r\nBcc: evil@y.example"});
  const auto many = parse(failureReport(board(), Carol, facts({0, 0, 0, 1000}), failed, Stamp));
  BOOST_TEST(mail::MimeTree::parse(many).ambiguities().empty());
  BOOST_TEST(has(many.bytes(), "and 900 more"));
  BOOST_TEST(!has(many.bytes(), "evil@"));
}

BOOST_AUTO_TEST_CASE(our_own_reports_read_back_as_what_they_are) {
  const auto kind = [](DeliveryCounts counts) {
    return readBounce(parse(deliveryReport(board(), Carol, facts(counts), Stamp))).kind;
  };
  BOOST_TEST((kind({1, 0, 0, 1}) == Bounce::Kind::Failure));
  BOOST_TEST((kind({1, 1, 0, 0}) == Bounce::Kind::Delay));
  BOOST_TEST((kind({1, 0, 0, 0}) == Bounce::Kind::Success));
}

BOOST_AUTO_TEST_CASE(no_mail_of_ours_is_ever_taken_as_a_post) {
  for (const auto& text :
       {withheldNotice(board(), Carol, WithheldReason::NoKey, Stamp), deliveryReport(board(), Carol, facts({}), Stamp),
        rejectionNotice(board(), Carol, RejectReason::NotAMember, Stamp)})
    BOOST_TEST(findLoop(parse(text), "someone@x.example", board()).has_value());
}

BOOST_AUTO_TEST_CASE(names_and_links_cannot_break_out) {
  for (const auto& hostile : {"x\r\nBcc: evil@y.example\r\n\r\n"s, "\xc3\xbc\xff\0"s, std::string(3000, 'x'),
                              "\" <evil@y>,"s, "a\n--=_report--\n"s, "=3D="s}) {
    auto list = board();
    list.displayName = hostile;
    list.helpLink = "https://x/" + hostile;
    auto report = facts({1, 1, 1, 1});
    report.queueId = report.reportingHost = hostile;
    for (const auto& text :
         {withheldNotice(list, Carol, WithheldReason::NoKey, Stamp), deliveryReport(list, Carol, report, Stamp),
          rejectionNotice(list, Carol, RejectReason::Closed, Stamp)}) {
      const auto message = parse(text);
      BOOST_TEST(message.header().count("Bcc") == 0u);
      BOOST_TEST(message.from().mailboxes.size() == 1u);
      const auto tree = mail::MimeTree::parse(message);
      BOOST_TEST(tree.ambiguities().empty());
      BOOST_TEST(tree.parts().size() != 2u);
    }
  }
  BOOST_CHECK_THROW((void)withheldNotice(board(), Carol, WithheldReason::NoKey, {"bad", Noon}), Error);
}

BOOST_AUTO_TEST_SUITE_END()
