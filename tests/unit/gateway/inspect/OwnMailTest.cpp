#include "core/base/Codec.h"
#include "gateway/inspect/OwnMail.h"
#include "gateway/inspect/TransactionInspector.h"
#include "tests/unit/gateway/smtp/Fakes.h"

using namespace postern;
using namespace postern::gateway;
using policy::VerdictKind;

namespace {

// Answers as the test says, by hook, and keeps what it was told.
class OnePolicy : public Policies {
public:
  policy::PolicyOutcome rcptAnswer = policy::Verdict{};
  policy::MessageOutcome messageAnswer = policy::MessageVerdicts{{{}, {}}, {}};
  std::vector<policy::TransactionFacts> asked;
  std::string subject;

  policy::PolicyOutcome rcpt(const policy::TransactionFacts& facts, const policy::RecipientFacts&) override {
    asked.push_back(facts);
    return rcptAnswer;
  }
  policy::MessageOutcome message(const policy::TransactionFacts& facts, const policy::MessageFacts& message) override {
    asked.push_back(facts);
    subject = message.subject;
    return messageAnswer;
  }
};

struct Counting : Observer {
  std::vector<app::RefusalEvent> events;
  void refused(const app::RefusalEvent& event) override { events.push_back(event); }
};

struct Fixture {
  fakes::FakeDirectory directory;
  OnePolicy policies;
  TransactionInspector inspector{policies, directory};
  Counting observer;
  app::Submission submission;

  Fixture() {
    submission.mailFrom = "ann@example.org";
    submission.recipients = {"sam@smime.example", "nora@nothing.example"};
    submission.notes = {{"tagged", "yes"}, {std::string(app::OutboundNote), "out@lists.example"}};
    submission.content = "From: ann@example.org\r\nTo: sam@smime.example\r\nSubject: Budget\r\n\r\nHallo\r\n";
  }
  app::Judgement judge() { return judgeOwnMail(inspector, observer, submission); }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(gateway_inspect_OwnMail, Fixture)

BOOST_AUTO_TEST_CASE(each_recipient_and_the_message_are_shown_to_the_policies_as_mail_of_a_relay_is) {
  policies.messageAnswer = policy::MessageVerdicts{{{}, {}}, {{"p", "protect", "smime"}}};
  const auto judgement = judge();
  BOOST_TEST(judgement.passed);
  BOOST_REQUIRE(!judgement.notes.empty());
  BOOST_TEST(judgement.notes.front().first == "protect");
  BOOST_REQUIRE_EQUAL(policies.asked.size(), 3u);
  BOOST_TEST(policies.asked[1].recipients.size() == 1u);
  const auto& whole = policies.asked[2];
  BOOST_TEST(whole.mailFrom == "ann@example.org");
  BOOST_TEST(whole.recipients.size() == 2u);
  BOOST_TEST(whole.recipients[0].list.empty());  // an address elsewhere is no list
  BOOST_TEST(whole.client.address == "127.0.0.1");
  BOOST_TEST(!whole.client.tls.has_value());
  BOOST_TEST(policies.subject == "Budget");  // and needs no mark: it is sent protected in any case
  BOOST_TEST(observer.events.empty());
}

BOOST_AUTO_TEST_CASE(who_came_by_https_is_shown_with_the_tls_of_that_connection) {
  submission.clientAddress = "192.0.2.9";
  submission.tls = {"TLSv1.3", "TLS_AES_256_GCM_SHA384", 256, "none", {}};
  judge();
  BOOST_REQUIRE_EQUAL(policies.asked.size(), 3u);
  for (const auto& facts : policies.asked) {
    BOOST_REQUIRE(facts.client.tls.has_value());
    BOOST_TEST(facts.client.tls->version == "TLSv1.3");
    BOOST_TEST(facts.client.tls->bits == 256u);
    BOOST_TEST(facts.client.tls->verification == "none");
  }
}

BOOST_AUTO_TEST_CASE(what_is_only_asked_about_is_judged_alike_and_not_counted) {
  policies.rcptAnswer = policy::Verdict{VerdictKind::Reject, 550, "5.7.1", "not there", "no-smime", "p", {}, {}};
  submission.notes.emplace_back(app::TrialNote, "yes");
  const auto judgement = judge();
  BOOST_TEST(!judgement.passed);
  BOOST_TEST(judgement.reason == "no-smime");
  BOOST_TEST(observer.events.empty());
}

BOOST_AUTO_TEST_CASE(a_reject_or_a_defer_of_either_hook_does_not_pass_and_is_counted) {
  policies.rcptAnswer = policy::Verdict{VerdictKind::Reject, 550, "5.7.1", "not there", "no-smime", "p", {}, {}};
  auto judgement = judge();
  BOOST_TEST(!judgement.passed);
  BOOST_TEST(!judgement.later);
  BOOST_TEST(judgement.reason == "no-smime");
  BOOST_TEST(judgement.text.find("not there") != judgement.text.npos);
  policies.rcptAnswer = policy::Verdict{};
  policies.messageAnswer = policy::MessageVerdicts{
      {{VerdictKind::Defer, 451, "4.7.1", "after hours", "hours", "p", {}, {}}, policy::Verdict{}}, {}};
  judgement = judge();
  BOOST_TEST(!judgement.passed);
  BOOST_TEST(judgement.later);
  BOOST_TEST(judgement.text.find("<sam@smime.example>: after hours") != judgement.text.npos);
  BOOST_REQUIRE_EQUAL(observer.events.size(), 2u);
  BOOST_TEST(observer.events[1].reason == "hours");
  BOOST_TEST(observer.events[1].mailFrom == "ann@example.org");
}

BOOST_AUTO_TEST_CASE(what_fails_or_cannot_be_done_or_would_be_dropped_does_not_pass) {
  policies.messageAnswer = Unexpected(policy::Failure{policy::FailureKind::Timeout, "slow", "2 s"});
  BOOST_TEST(!judge().passed);
  BOOST_TEST(judge().later);
  for (const auto kind : {VerdictKind::Hold, VerdictKind::Redirect, VerdictKind::Discard}) {
    policies.messageAnswer =
        policy::MessageVerdicts{{policy::Verdict{}, {kind, 0, {}, {}, "some", "p", "x@y.example", "q"}}, {}};
    BOOST_TEST(!judge().passed, policy::wordFor(kind));
  }
  policies.messageAnswer = policy::MessageVerdicts{{policy::Verdict{}}, {}};  // of two recipients
  BOOST_TEST(!judge().passed);
}

BOOST_AUTO_TEST_CASE(what_is_no_message_of_its_sender_does_not_pass) {
  submission.content = "From: ceo@bank.example\r\nSubject: x\r\n\r\nHallo\r\n";
  BOOST_TEST(judge().reason == "wrong-author");
  submission.mailFrom = "";
  BOOST_TEST(!judge().passed);
  submission.mailFrom = "ann@example.org";
  submission.recipients.clear();
  BOOST_TEST(!judge().passed);
}

BOOST_AUTO_TEST_CASE(without_policies_nothing_passes) {
  struct Bare : app::GatewayService {
    void hello(std::string_view) override {}
    void setRouting(const app::RoutingView&) override {}
    std::vector<app::AcceptedItem> takeAccepted(std::uint64_t, std::uint32_t, std::chrono::milliseconds) override {
      return {};
    }
    void sessionEnded(std::uint64_t) override {}
    void submitCopies(std::vector<app::Copy>, std::vector<app::Tail>) override {}
    void finish(const std::vector<std::uint64_t>&) override {}
    std::vector<app::GatewayEvent> takeEvents(std::uint64_t, std::uint32_t, std::chrono::milliseconds) override {
      return {};
    }
    app::GatewayStats stats() override { return {}; }
    std::uint64_t queueAct(std::string_view, std::uint64_t) override { return 0; }
  } bare;
  const auto judgement = bare.judge(submission);
  BOOST_TEST(!judgement.passed);
  BOOST_TEST(judgement.later);
  Writer writer;
  judgement.encode(writer);
  Reader reader(writer.bytes());
  BOOST_TEST(app::Judgement::decode(reader).text == judgement.text);
}

BOOST_AUTO_TEST_SUITE_END()
