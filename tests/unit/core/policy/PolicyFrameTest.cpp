#include "core/base/Error.h"
#include "core/policy/frame/PolicyFrame.h"
#include "tests/unit/core/policy/PolicyFixture.h"

using namespace postern;
using namespace postern::policy;
using namespace postern::policy::test;

namespace {

Verdict goodReject() {
  Verdict verdict;
  verdict.kind = VerdictKind::Reject;
  verdict.code = 550;
  verdict.enhanced = "5.7.1";
  verdict.text = "no";
  verdict.reason = "secure-tag";
  verdict.policy = "secure_tag";
  return verdict;
}

std::string replyWith(const Verdict& verdict) {
  return frame::encodeOutcome(MessageVerdicts{{verdict}, {}}, false);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(core_policy_frame_PolicyFrame)

BOOST_AUTO_TEST_CASE(reads_back_a_message_request) {
  auto message = mail("sub\0ject");
  message.isEncrypted = true;
  const auto request = frame::decodeMessage(frame::encodeMessage(twoLists(), message));
  BOOST_TEST(request.facts.recipients.size() == 2u);
  BOOST_TEST(request.facts.recipients[0].secure);
  BOOST_TEST(request.facts.client.tls->bits == 256u);
  BOOST_TEST(request.message.headers.size() == 2u);
  BOOST_TEST(request.message.subject == message.subject);
  BOOST_TEST(request.message.isEncrypted);
  BOOST_TEST(!request.message.isSigned);
}

BOOST_AUTO_TEST_CASE(reads_back_verdicts_and_failures) {
  const MessageOutcome verdicts = MessageVerdicts{{goodReject(), Verdict{}}, {{"secure_tag", "tagged", "yes"}}};
  const auto read = frame::decodeOutcome(frame::encodeOutcome(verdicts, true), 2, false);
  BOOST_REQUIRE(read.has_value());
  BOOST_TEST((read->recipients == verdicts->recipients));
  BOOST_TEST((read->notes == verdicts->notes));
  BOOST_TEST(frame::wantsToRetire(frame::encodeOutcome(verdicts, true)));
  const MessageOutcome failure = Unexpected(Failure{FailureKind::Memory, "p", "d"});
  const auto failed = frame::decodeOutcome(frame::encodeOutcome(failure, false), 2, false);
  BOOST_REQUIRE(!failed);
  BOOST_TEST((failed.error().kind == FailureKind::Memory));
}

BOOST_AUTO_TEST_CASE(every_cut_of_a_reply_is_malformed) {
  const auto reply = frame::encodeOutcome(MessageVerdicts{{goodReject()}, {{"p", "k", "v"}}}, false);
  for (std::size_t length = 0; length < reply.size(); ++length)
    BOOST_CHECK_THROW((void)frame::decodeOutcome(reply.substr(0, length), 1, false), Error);
  BOOST_CHECK_THROW((void)frame::decodeOutcome(reply + "x", 1, false), Error);
}

BOOST_AUTO_TEST_CASE(a_reply_must_have_a_verdict_for_each_recipient) {
  BOOST_CHECK_THROW((void)frame::decodeOutcome(replyWith(goodReject()), 0, false), Error);
  BOOST_CHECK_THROW((void)frame::decodeOutcome(replyWith(goodReject()), 2, false), Error);
  BOOST_CHECK_NO_THROW((void)frame::decodeOutcome(replyWith(goodReject()), 1, false));
}

BOOST_AUTO_TEST_CASE(a_verdict_that_breaks_its_promises_is_malformed) {
  const auto refuse = [](auto change, bool beforeContent = false) {
    auto verdict = goodReject();
    change(verdict);
    BOOST_CHECK_THROW((void)frame::decodeOutcome(replyWith(verdict), 1, beforeContent), Error);
  };
  refuse([](Verdict& v) { v.code = 250; });
  refuse([](Verdict& v) { v.code = 450; });
  refuse([](Verdict& v) { v.enhanced = "2.0.0"; });
  refuse([](Verdict& v) { v.enhanced = "5.7.1 ok\r\n250"; });
  refuse([](Verdict& v) { v.text = "line\r\n250 ok"; });
  refuse([](Verdict& v) { v.text = std::string(901, 'x'); });
  refuse([](Verdict& v) { v.text = "\xc3\xa9"; });
  refuse([](Verdict& v) { v.reason = ""; });
  refuse([](Verdict& v) { v.reason = "two words"; });
  refuse([](Verdict& v) { v.policy = ""; });
  refuse([](Verdict& v) { v.policy = "a\nb"; });
  refuse([](Verdict& v) { v.redirectTo = "a@example.org"; });
  refuse([](Verdict& v) { v.queue = "x"; });
  refuse([](Verdict& v) { v.kind = VerdictKind::Defer; });
  refuse([](Verdict& v) { v.kind = VerdictKind::Accept; });
  refuse([](Verdict& v) { v.kind = VerdictKind::Pass; });
  refuse([](Verdict& v) { v = {VerdictKind::Hold, 0, "", "", "r", "p", "", "q"}; }, true);
  refuse([](Verdict& v) { v = {VerdictKind::Redirect, 0, "", "", "r", "p", "a@b\r\n", ""}; });
  refuse([](Verdict& v) { v = {VerdictKind::Redirect, 0, "", "", "r", "p", "", ""}; });
}

BOOST_AUTO_TEST_CASE(unknown_kinds_are_malformed) {
  for (const char byte : {'\0', '\x20', '\x7f', '\x80', '\xff'}) {
    const std::string reply{byte, '\0'};
    BOOST_CHECK_THROW((void)frame::replyKind(reply), Error);
    BOOST_CHECK_THROW((void)frame::requestKind(reply), Error);
  }
  BOOST_CHECK_THROW((void)frame::replyKind(""), Error);
}

BOOST_AUTO_TEST_CASE(reply_text_is_one_line_of_ascii) {
  BOOST_TEST(frame::toReplyText("a\r\nb\tc\x7f") == "a  b c ");
  BOOST_TEST(frame::toReplyText("caf\xc3\xa9 \xe4\xbc\x9a") == "caf? ?");
  BOOST_TEST(frame::isReplyText(frame::toReplyText(std::string(5000, '\xff'))));
}

BOOST_AUTO_TEST_SUITE_END()
