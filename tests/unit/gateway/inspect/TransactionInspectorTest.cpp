#include "gateway/inspect/TransactionInspector.h"
#include "tests/unit/gateway/smtp/Fakes.h"

using namespace postern;
using namespace postern::gateway;
using policy::VerdictKind;

namespace {

// Answers what the test has put in, and keeps what it was asked.
class ScriptedPolicies : public Policies {
public:
  policy::PolicyOutcome rcptAnswer = policy::Verdict{};
  policy::MessageOutcome messageAnswer = policy::MessageVerdicts{};
  policy::PolicyOutcome sessionAnswer = policy::Verdict{};
  int messageCalls = 0;
  policy::UserFacts user;
  policy::TransactionFacts facts;
  policy::MessageFacts message_;

  bool asks(policy::Hook) const override { return true; }
  policy::PolicyOutcome session(policy::Hook, const policy::TransactionFacts& given,
                                const policy::UserFacts& who) override {
    facts = given;
    user = who;
    return sessionAnswer;
  }
  policy::PolicyOutcome rcpt(const policy::TransactionFacts& given, const policy::RecipientFacts&) override {
    facts = given;
    return rcptAnswer;
  }
  policy::MessageOutcome message(const policy::TransactionFacts& given, const policy::MessageFacts& message) override {
    ++messageCalls;
    facts = given;
    message_ = message;
    return messageAnswer;
  }
};

struct Fixture {
  fakes::FakeDirectory directory;
  ScriptedPolicies policies;
  TransactionInspector inspector{policies, directory};
  ClientFacts client{"192.0.2.7", ""};
  std::string helo = "client.example";
  app::TlsFacts tls{"TLSv1.3", "TLS_AES_256_GCM_SHA384", 256, "none", {}};
  Transaction transaction;

  void to(std::initializer_list<const char*> recipients) {
    transaction.from = *mail::Address::parse("ann@client.example");
    for (const char* text : recipients) {
      auto address = *mail::Address::parse(text);
      auto route = *directory.find(address);
      transaction.recipients.push_back({std::move(address), std::move(route)});
    }
  }
  void verdicts(std::vector<policy::Verdict> given) {
    policies.messageAnswer = policy::MessageVerdicts{std::move(given), {}};
  }
  MessageDecision judge(std::string_view content = "From: ann@client.example\r\nSubject: hi\r\n\r\ntext\r\n") {
    return inspector.message({client, helo, tls, transaction}, content);
  }
  static policy::Verdict reject(std::string text) {
    return {VerdictKind::Reject, 550, "5.7.1", std::move(text), "secure-tag", "secure_tag", {}, {}};
  }
  static policy::Verdict of(VerdictKind kind) { return {kind, 0, {}, {}, "some-reason", "some", {}, {}}; }
  static policy::Verdict defer(std::string text) {
    return {VerdictKind::Defer, 451, "4.7.1", std::move(text), "later", "rate", {}, {}};
  }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(gateway_inspect_TransactionInspector, Fixture)

BOOST_AUTO_TEST_CASE(accepts_with_the_notes_when_no_policy_objects) {
  to({"board@lists.example", "social@lists.example"});
  policies.messageAnswer =
      policy::MessageVerdicts{{of(VerdictKind::Pass), of(VerdictKind::Accept)}, {{"p", "tag", "Secure:"}}};
  const auto decision = judge();
  BOOST_TEST(!decision.refusal.has_value());
  BOOST_TEST(decision.discarded.empty());
  BOOST_REQUIRE(decision.notes.size() == 1u);
  BOOST_TEST(decision.notes[0].first == "tag");
  BOOST_TEST(policies.messageCalls == 1);
}

BOOST_AUTO_TEST_CASE(takes_mail_of_a_relay_only_when_it_is_marked_and_of_the_senders_domain) {
  transaction.from = *mail::Address::parse("ann@client.example");
  transaction.recipients.push_back(
      {*mail::Address::parse("eve@elsewhere.example"),
       {"eve@elsewhere.example", "outbound@lists.example", true, app::RoutedAddress::Role::Outbound}});
  const auto noting = [&](std::vector<policy::Note> notes) {
    policies.messageAnswer = policy::MessageVerdicts{{of(VerdictKind::Pass)}, std::move(notes)};
  };
  noting({});
  const auto plain = judge();
  BOOST_REQUIRE(plain.refusal.has_value());
  BOOST_TEST(plain.refusal->reason == "not-marked");
  BOOST_TEST(plain.refusal->reply.render().find("[encrypt]") != std::string::npos);
  for (const auto* nearly : {"Secure; x", "[encrypted] x", "encrypt: x", "Re: SECURE - x", "=?utf-8?q?Secure=3B?= x"}) {
    const auto missed = judge(std::string("From: ann@client.example\r\nSubject: ") + nearly + "\r\n\r\ntext\r\n");
    BOOST_REQUIRE_MESSAGE(missed.refusal.has_value(), nearly);
    BOOST_TEST(missed.refusal->reason == "nearly-marked");
    BOOST_TEST(missed.refusal->reply.render().find("with the colon") != std::string::npos);
  }
  noting({{"p", "protect", "none"}});
  BOOST_TEST(judge().refusal.has_value());
  noting({{"p", "tagged", "yes"}, {"p", "outbound", "social@lists.example"}});
  const auto marked = judge();
  BOOST_TEST(!marked.refusal.has_value());
  BOOST_REQUIRE_EQUAL(marked.notes.size(), 2u);
  BOOST_TEST(marked.notes[1].first == "outbound");
  BOOST_TEST(marked.notes[1].second == "outbound@lists.example");
  const auto forged = judge("From: ceo@bank.example\r\nSubject: Secure: hi\r\n\r\ntext\r\n");
  BOOST_REQUIRE(forged.refusal.has_value());
  BOOST_TEST(forged.refusal->reason == "wrong-author");
}

BOOST_AUTO_TEST_CASE(refuses_the_whole_transaction_and_names_each_refused_recipient) {
  to({"board@lists.example", "social@lists.example", "refused@lists.example"});
  verdicts({of(VerdictKind::Pass), reject("this list is open"), reject("nobody reads this")});
  const auto decision = judge();
  BOOST_REQUIRE(decision.refusal.has_value());
  BOOST_TEST(decision.refusal->reply.render() ==
             "550-5.7.1 refused by policy; nothing was delivered to anyone\r\n"
             "550-5.7.1 <social@lists.example>: this list is open\r\n"
             "550-5.7.1 <refused@lists.example>: nobody reads this\r\n"
             "550 5.7.1 help: https://help.example/secure\r\n");
  BOOST_TEST(decision.refusal->reason == "secure-tag");
  BOOST_TEST(decision.refusal->policy == "secure_tag");
}

BOOST_AUTO_TEST_CASE(gathers_recipients_that_are_refused_for_the_same_reason) {
  to({"social@lists.example", "refused@lists.example"});
  verdicts({reject("same"), reject("same")});
  BOOST_TEST(judge().refusal->reply.lines.at(1) == "<social@lists.example>, <refused@lists.example>: same");
}

BOOST_AUTO_TEST_CASE(lets_a_reject_win_over_a_defer_and_a_defer_over_all_else) {
  to({"board@lists.example", "social@lists.example"});
  verdicts({defer("wait"), reject("no")});
  BOOST_TEST(judge().refusal->reply.code == 550);
  verdicts({of(VerdictKind::Discard), defer("wait")});
  BOOST_TEST(judge().refusal->reply.render() ==
             "451-4.7.1 deferred by policy, nothing was delivered to anyone, try again later\r\n"
             "451 4.7.1 <social@lists.example>: wait\r\n");
}

BOOST_AUTO_TEST_CASE(never_fails_open) {
  to({"board@lists.example", "social@lists.example"});
  policies.messageAnswer = Unexpected(policy::Failure{policy::FailureKind::Timeout, "slow", "secret detail"});
  auto decision = judge();
  BOOST_REQUIRE(decision.refusal.has_value());
  BOOST_TEST(decision.refusal->reply.render().substr(0, 10) == "451 4.7.0 ");
  BOOST_TEST(decision.refusal->reply.render().find("secret") == std::string::npos);
  verdicts({of(VerdictKind::Pass)});  // one verdict for two recipients
  BOOST_TEST(judge().refusal->reply.code == 451);
  verdicts({});
  BOOST_TEST(judge().refusal->reply.code == 451);
}

BOOST_AUTO_TEST_CASE(defers_what_this_release_cannot_do) {
  to({"board@lists.example"});
  for (const auto kind : {VerdictKind::Redirect}) {
    verdicts({of(kind)});
    const auto decision = judge();
    BOOST_REQUIRE(decision.refusal.has_value());
    BOOST_TEST(decision.refusal->reply.code == 451);
    BOOST_TEST(decision.refusal->reason == policy::wordFor(kind) + "-not-available");
  }
}

BOOST_AUTO_TEST_CASE(drops_the_recipients_that_policy_discards) {
  to({"board@lists.example", "social@lists.example"});
  verdicts({of(VerdictKind::Pass), of(VerdictKind::Discard)});
  const auto decision = judge();
  BOOST_TEST(!decision.refusal.has_value());
  BOOST_REQUIRE(decision.discarded.size() == 1u);
  BOOST_TEST(decision.discarded[0] == 1u);
}

BOOST_AUTO_TEST_CASE(refuses_what_two_readers_could_read_differently_and_says_why) {
  to({"board@lists.example"});
  verdicts({of(VerdictKind::Pass)});
  const auto refusal = [&](std::string_view content) {
    const auto decision = judge(content);
    return decision.refusal ? decision.refusal->reply.render() : std::string();
  };
  const auto twoSubjects = refusal("From: a@b.example\r\nSubject: a\r\nSubject: [encrypt] b\r\n\r\n");
  BOOST_TEST(twoSubjects.substr(0, 10) == "550 5.6.0 ");
  BOOST_TEST(twoSubjects.find("subject") != std::string::npos, twoSubjects);
  for (const char* content :
       {"From: a@b.example\r\nSubject : [encrypt]\r\n\r\n", "no header\r\n\r\n", " Subject: x\r\n\r\n",
        "From: a@b.example\r\nFrom: c@d.example\r\n\r\n", "From: a@b.example, c@d.example\r\n\r\n",
        "From: a@b.example\r\nContent-Type: text/plain\r\nContent-Type: text/html\r\n\r\n",
        "From: a@b.example\r\nContent-Type: multipart/mixed\r\n\r\n"})
    BOOST_TEST(refusal(content).substr(0, 10) == "550 5.6.0 ", content);
  BOOST_TEST(policies.messageCalls == 0);
  BOOST_TEST(refusal("From: a@b.example\r\nSubject: a\r\n\r\nSubject: b\r\n").empty());
  std::string bomb = "From: a@b.example\r\n";
  for (int i = 0; i < 100'000; ++i) bomb += "X: y\r\n";
  BOOST_TEST(refusal(bomb + "\r\n").substr(0, 10) == "550 5.6.0 ");
}

// Readers of RFC 9788 and its forerunners show the Subject within the signed part instead of the outer one.
BOOST_AUTO_TEST_CASE(refuses_a_protected_subject_that_is_not_the_one_outside) {
  to({"social@lists.example"});
  verdicts({of(VerdictKind::Pass)});
  const auto code = [&](const std::string& outer, const std::string& part) {
    const auto decision =
        judge("From: a@b.example\r\n" + outer +
              "Content-Type: multipart/signed; boundary=b; protocol=\"application/pkcs7-signature\"; "
              "micalg=sha-256\r\n\r\n--b\r\n" +
              part + "\r\ntext\r\n--b\r\nContent-Type: application/pkcs7-signature\r\n\r\n\r\n--b--\r\n");
    return decision.refusal ? decision.refusal->reply.code : 250;
  };
  const std::string protectedPart = "Content-Type: text/plain; protected-headers=\"v1\"\r\n";
  BOOST_TEST(code("Subject: lunch\r\n", protectedPart + "Subject: Secure: budget\r\n") == 550);
  BOOST_TEST(code("Subject: lunch\r\n", "Content-Type: text/plain; hp=\"clear\"\r\nsubject: [encrypt]\r\n") == 550);
  BOOST_TEST(code("Subject: lunch\r\n", protectedPart + "Subject: lunch\r\nSubject: Secure: x\r\n") == 550);
  BOOST_TEST(code("", protectedPart + "Subject: Secure: budget\r\n") == 550);
  // RFC 8551 3.1: a whole message within the signature.
  BOOST_TEST(code("Subject: lunch\r\n", "Content-Type: message/rfc822\r\n\r\nSubject: Secure: budget\r\n") == 550);
  // The same subject in another writing is no other subject, and a forwarded message may have its own.
  BOOST_TEST(code("Subject: caf=?utf-8?q?=C3=A9?=\r\n", protectedPart + "Subject: caf=?utf-8?q?=C3=A9?=\r\n") == 250);
  BOOST_TEST(code("Subject: =?utf-8?q?lunch_today?=\r\n", protectedPart + "Subject: lunch\r\n today\r\n") == 250);
  const auto forwarded = judge(
      "From: a@b.example\r\nSubject: Fwd: x\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n"
      "Content-Type: message/rfc822\r\n\r\nFrom: c@d.example\r\nSubject: x\r\n\r\ntext\r\n--b--\r\n");
  BOOST_TEST(!forwarded.refusal.has_value());
}

BOOST_AUTO_TEST_CASE(reads_reports_to_bounces_addresses_leniently) {
  to({"board-bounces+tag@lists.example"});
  verdicts({of(VerdictKind::Pass)});
  BOOST_TEST(!judge("Subject: a\r\nSubject: b\r\n\r\n").refusal.has_value());
  to({"board@lists.example"});
  verdicts({of(VerdictKind::Pass), of(VerdictKind::Pass)});
  BOOST_TEST(judge("Subject: a\r\nSubject: b\r\n\r\n").refusal.has_value());
}

BOOST_AUTO_TEST_CASE(shows_policies_the_decoded_subject_and_all_fields) {
  to({"board@lists.example"});
  verdicts({of(VerdictKind::Pass)});
  judge(
      "From: Ann <ann@client.example>\r\nSubject: =?utf-8?q?Sec?=\r\n =?utf-8?q?ure=3A?= x\r\nMessage-ID: "
      "<1@x>\r\nX-A: 1\r\n\r\n");
  BOOST_TEST(policies.message_.subject == "Secure: x");
  BOOST_TEST(policies.message_.from == "ann@client.example");
  BOOST_TEST(policies.message_.headers.size() == 4u);
  BOOST_TEST(policies.message_.messageId == "<1@x>");
  BOOST_TEST(policies.facts.mailFrom == "ann@client.example");
  BOOST_TEST(policies.facts.client.tls->version == "TLSv1.3");
  BOOST_REQUIRE(policies.facts.recipients.size() == 1u);
  BOOST_TEST(policies.facts.recipients[0].list == "board");
  BOOST_TEST(policies.facts.recipients[0].secure);
}

BOOST_AUTO_TEST_CASE(passes_the_policys_own_code_on_at_rcpt_and_fails_closed_there_too) {
  to({});
  auto address = *mail::Address::parse("social@lists.example");
  const TransactionRecipient candidate{address, *directory.find(address)};
  const InspectionFacts facts{client, helo, tls, transaction};
  BOOST_TEST(!inspector.recipient(facts, candidate).has_value());
  policies.rcptAnswer = policy::Verdict{VerdictKind::Reject, 554, "5.7.26", "go away", "spf", "p", {}, {}};
  BOOST_TEST(inspector.recipient(facts, candidate)->reply.render() == "554 5.7.26 go away\r\n");
  policies.rcptAnswer = defer("later");
  BOOST_TEST(inspector.recipient(facts, candidate)->reply.render() == "451 4.7.1 later\r\n");
  policies.rcptAnswer = Unexpected(policy::Failure{});
  BOOST_TEST(inspector.recipient(facts, candidate)->reply.render().substr(0, 10) == "451 4.7.0 ");
  policies.rcptAnswer = of(VerdictKind::Hold);
  BOOST_TEST(inspector.recipient(facts, candidate)->reply.code == 451);
}

BOOST_AUTO_TEST_CASE(who_has_signed_in_writes_as_himself_and_gets_the_fields_that_are_missing) {
  to({"board@lists.example"});
  verdicts({of(VerdictKind::Pass)});
  const app::SignedIn ann{"ann", "ann@client.example"};
  const auto say = [&](std::string_view content) {
    return inspector.message({client, helo, tls, transaction, false, &ann}, content);
  };
  const auto bare = say("From: Ann <ANN@client.example>\r\nSubject: hi\r\n\r\ntext\r\n");
  BOOST_TEST(!bare.refusal.has_value());
  BOOST_REQUIRE(bare.content.has_value());
  BOOST_TEST(bare.content->starts_with("Date: "));
  BOOST_TEST(bare.content->find("\r\nMessage-ID: <") != std::string::npos);
  BOOST_TEST(
      bare.content->ends_with("@client.example>\r\nFrom: Ann <ANN@client.example>\r\nSubject: hi\r\n\r\ntext\r\n"));
  const std::string own = "Date: Sun, 1 Mar 2026 12:00:00 +0000\r\nMessage-ID: <a@client.example>\r\n";
  BOOST_TEST(!say(own + "From: ann@client.example\r\n\r\n").content.has_value());
  for (const std::string fields :
       {"From: bob@client.example\r\n", "Subject: no author\r\n", "From: ann@client.example.other\r\n",
        "From: \"ann@client.example\" <bob@client.example>\r\n",
        "From: ann@client.example\r\nSender: bob@x.example\r\n",
        "From: ann@client.example\r\nSender: ann@client.example.other\r\n",
        "From: ann@client.example\r\nResent-From: bob@client.example\r\n"}) {
    const auto decision = say(own + fields + "\r\ntext\r\n");
    BOOST_REQUIRE_MESSAGE(decision.refusal.has_value(), fields);
    BOOST_TEST(decision.refusal->reply.code == 550);
  }
}

BOOST_FIXTURE_TEST_CASE(the_hooks_before_rcpt_speak_the_words_of_their_place, Fixture) {
  const app::SignedIn ann{"ann", "ann@client.example"};
  const auto codeOf = [&](policy::Hook hook) {
    const auto refusal = inspector.session(hook, {client, helo, tls, transaction, false, &ann});
    return refusal ? refusal->reply.render(false).substr(0, 9) : std::string("pass");
  };
  BOOST_TEST(codeOf(policy::Hook::Connect) == "pass");
  BOOST_TEST(policies.user.account == "ann");
  policies.sessionAnswer = reject("no");
  BOOST_TEST(codeOf(policy::Hook::Connect) == "554 5.7.1");
  BOOST_TEST(codeOf(policy::Hook::Ehlo) == "550 5.7.1");
  BOOST_TEST(codeOf(policy::Hook::Auth) == "535 5.7.1");
  BOOST_TEST(codeOf(policy::Hook::Mail) == "550 5.7.1");
  policies.sessionAnswer = Unexpected(policy::Failure{policy::FailureKind::Timeout, "p", "x"});
  BOOST_TEST(codeOf(policy::Hook::Connect) == "421 4.7.0");
  BOOST_TEST(codeOf(policy::Hook::Ehlo) == "451 4.7.0");
  BOOST_TEST(codeOf(policy::Hook::Auth) == "454 4.7.0");
  BOOST_TEST(codeOf(policy::Hook::Mail) == "451 4.7.0");
  policies.sessionAnswer = of(VerdictKind::Hold);  // a host that broke its promise is not open
  BOOST_TEST(codeOf(policy::Hook::Mail) == "451 4.7.0");
}

BOOST_AUTO_TEST_SUITE_END()
