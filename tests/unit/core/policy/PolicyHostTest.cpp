#include "core/policy/PolicyHost.h"
#include "tests/unit/core/policy/PolicyFixture.h"

using namespace postern::policy;
using namespace postern::policy::test;
using namespace std::chrono_literals;

BOOST_AUTO_TEST_SUITE(core_policy_PolicyHost)

BOOST_AUTO_TEST_CASE(the_shipped_set_refuses_tagged_mail_for_the_open_list_only) {
  PolicyHostOptions options;
  options.folder = ShippedFolder;
  options.workerProgram = WorkerProgram;
  PolicyHost host(options);
  const auto readable = [](MessageFacts facts) {
    facts.content = [] { return MessageContent{}; };
    return facts;
  };
  auto outcome = host.message(twoLists(), readable(mail("Re: Secure: budget")));
  BOOST_REQUIRE_MESSAGE(outcome.has_value(), detailOf(outcome));
  BOOST_TEST((outcome->recipients[0] == Verdict{}));
  const auto& refused = outcome->recipients[1];
  BOOST_TEST((refused.kind == VerdictKind::Reject));
  BOOST_TEST(refused.code == 550);
  BOOST_TEST(refused.enhanced == "5.7.1");
  BOOST_TEST(refused.reason == "secure-tag");
  BOOST_TEST(refused.policy == "secure_tag");
  BOOST_TEST((outcome->notes == std::vector<Note>{{"secure_tag", "tagged", "yes"}}));
  outcome = host.message(twoLists(), readable(mail("lunch")));
  BOOST_REQUIRE_MESSAGE(outcome.has_value(), detailOf(outcome));
  for (const auto& verdict : outcome->recipients) BOOST_TEST((verdict == Verdict{}));
}

BOOST_AUTO_TEST_CASE(a_policy_sees_the_transaction_and_the_message) {
  const auto outcome = askOnce(
      "local c = tx.client "
      "assert(c.address == '192.0.2.7' and c.name == 'relay.example.org') "
      "assert(c.tls.version == 'TLSv1.3' and c.tls.bits == 256 and c.tls.verification == 'ok' and c.tls.cipher) "
      "assert(tx.helo == 'relay.example.org' and tx.mail_from == 'ann@example.org' and tx.size == 1234) "
      "assert(#tx.recipients == 2) local n = 0 for i, r in ipairs(tx.recipients) do n = n + i "
      "assert(r.list and r.secure == (r.list == 'board')) end assert(n == 3) "
      "assert(msg.subject == 'hello' and msg:header('FROM') == 'Ann <ann@example.org>') "
      "assert(msg:header('nothing') == nil and #msg:headers('nothing') == 0) "
      "assert(msg:raw_headers('subject')[1] == ' hello' and msg.from == 'ann@example.org') "
      "assert(msg.size == 1234 and msg.message_id == '<1@example.org>') "
      "assert(msg.is_encrypted == false and msg.is_signed == false) "
      "assert(match('*EX?mple.org', msg.from) and not match('*.com', msg.from)) "
      "return accept{ reason = 'all-seen' }");
  BOOST_REQUIRE_MESSAGE(outcome.has_value(), detailOf(outcome));
  BOOST_TEST(outcome->recipients[0].reason == "all-seen");
}

BOOST_AUTO_TEST_CASE(absent_facts_are_nil) {
  SetFolder folder(
      "assert(tx.client.tls == nil and tx.client.name == nil and tx.mail_from == '' and msg.from == nil) "
      "assert(msg.subject == '' and tx.recipients[1].list == nil and tx.recipients[3] == nil) return accept()");
  PolicyHost host(folder.options());
  TransactionFacts facts;
  facts.recipients = {{"a@example.org", "", false}};
  const auto outcome = host.message(facts, {});
  BOOST_TEST(outcome.has_value(), detailOf(outcome));
}

BOOST_AUTO_TEST_CASE(all_verdicts_reach_the_caller) {
  const auto outcome = askOnce(
      "msg:note('rule', 'all') return verdicts{ ['board@lists.example.org'] = hold{ queue = 'mod', reason = 'h' }, "
      "['social@lists.example.org'] = redirect{ to = 'x@example.org' } }");
  BOOST_REQUIRE_MESSAGE(outcome.has_value(), detailOf(outcome));
  BOOST_TEST((outcome->recipients[0].kind == VerdictKind::Hold));
  BOOST_TEST(outcome->recipients[0].queue == "mod");
  BOOST_TEST((outcome->recipients[1].kind == VerdictKind::Redirect));
  BOOST_TEST(outcome->recipients[1].redirectTo == "x@example.org");
  BOOST_TEST(outcome->recipients[1].reason == "probe");
  BOOST_TEST(outcome->notes[0].key == "rule");
  for (const auto& [body, kind] : std::initializer_list<std::pair<const char*, VerdictKind>>{
           {"return discard{ reason = 'd' }", VerdictKind::Discard},
           {"return defer{ code = 450, enh = '4.2.1', text = 'later' }", VerdictKind::Defer},
           {"return reject()", VerdictKind::Reject}}) {
    const auto one = askOnce(body);
    BOOST_REQUIRE_MESSAGE(one.has_value(), detailOf(one));
    for (const auto& verdict : one->recipients) BOOST_TEST((verdict.kind == kind));
  }
}

BOOST_AUTO_TEST_CASE(the_rcpt_hook_judges_one_recipient) {
  SetFolder folder;
  folder.write("probe.lua", policyText("probe",
                                       "assert(#tx.recipients == 2) if rcpt.list == 'closed' then return reject{ "
                                       "code = 554 } end if rcpt.list == 'bad' then return hold{} end",
                                       "rcpt"));
  PolicyHost host(folder.options());
  const auto refused = host.rcpt(twoLists(), {"c@example.org", "closed", false});
  BOOST_REQUIRE_MESSAGE(refused.has_value(), detailOf(refused));
  BOOST_TEST(refused->code == 554);
  BOOST_TEST((*host.rcpt(twoLists(), {"c@example.org", "", false}) == Verdict{}));
  BOOST_TEST(!host.rcpt(twoLists(), {"c@example.org", "bad", false}));  // no hold before there is a message
  const auto calls = host.status().calls;
  BOOST_TEST(host.message(twoLists(), mail("x")).has_value());
  BOOST_TEST(host.status().calls == calls);  // no policy has that hook, so no worker was asked
}

BOOST_AUTO_TEST_CASE(the_hooks_before_rcpt_judge_a_session) {
  SetFolder folder;
  folder.write("probe.lua", R"(
return { name = "probe", doc = "for a test", hooks = {
  connect = function(tx) if tx.client.address == "192.0.2.66" then return reject{ reason = "no" } end end,
  ehlo = function(tx) if match("*.bad", tx.helo) then return defer{ reason = "bad-name" } end end,
  auth = function(tx, user) if user.account ~= "ann" or user.address ~= "ann@x" then return reject{ reason = "not-ann" } end end,
  mail = function(tx)
    if count(tx.mail_from, 60) > 2 then return defer{ reason = "rate" } end
    if tx.mail_from == "hold@x" then return hold{} end
  end,
}, cases = {
  { title = "a bad name", hook = "ehlo", tx = { helo = "x.bad" }, expect = { verdict = "defer", reason = "bad-name" } },
  { title = "not Ann", hook = "auth", user = { account = "bob" }, expect = { verdict = "reject" } },
  { title = "often", hook = "mail", counts = { ["a@x"] = 3 }, tx = { mail_from = "a@x" }, expect = { verdict = "defer" } },
  { title = "anybody", hook = "connect", expect = { verdict = "pass" } },
} })");
  PolicyHost host(folder.options());
  for (const auto& result : host.status().lastReload.cases) BOOST_TEST(result.ok, result.title << ": " << result.text);
  BOOST_REQUIRE(host.status().hasSet);
  for (const auto hook : {Hook::Connect, Hook::Ehlo, Hook::Auth, Hook::Mail}) BOOST_TEST(host.asks(hook));
  BOOST_TEST(!host.asks(Hook::Rcpt));
  BOOST_TEST(!host.asks(Hook::Message));
  auto facts = twoLists();
  facts.recipients.clear();
  const auto reasonOf = [&](Hook hook, const UserFacts& user = {}) {
    const auto outcome = host.session(hook, facts, user);
    return outcome ? outcome->reason : wordFor(outcome.error().kind);
  };
  BOOST_TEST(reasonOf(Hook::Connect) == "");
  facts.client.address = "192.0.2.66";
  BOOST_TEST(reasonOf(Hook::Connect) == "no");
  facts.helo = "x.bad";
  BOOST_TEST(reasonOf(Hook::Ehlo) == "bad-name");
  BOOST_TEST(reasonOf(Hook::Auth, {"ann", "ann@x"}) == "");
  BOOST_TEST(reasonOf(Hook::Auth, {"bob", "bob@x"}) == "not-ann");
  facts.mailFrom = "ann@x";
  facts.trial = true;  // counts nothing
  for (int i = 0; i < 5; ++i) BOOST_TEST(reasonOf(Hook::Mail) == "");
  facts.trial = false;
  BOOST_TEST(reasonOf(Hook::Mail) == "");
  BOOST_TEST(reasonOf(Hook::Mail) == "");
  BOOST_TEST(reasonOf(Hook::Mail) == "rate");
  facts.mailFrom = "hold@x";
  BOOST_TEST(reasonOf(Hook::Mail) == "script");  // no hold before there is a message
}

BOOST_AUTO_TEST_CASE(many_threads_get_their_own_answers) {
  SetFolder folder("return accept{ reason = msg.subject }");
  auto options = folder.options();
  options.workers = 3;
  PolicyHost host(options);
  std::atomic<int> right = 0;
  {
    std::vector<std::jthread> threads;
    for (int thread = 0; thread < 12; ++thread)
      threads.emplace_back([&, thread] {
        for (int i = 0; i < 50; ++i) {
          const auto word = "w" + std::to_string(thread) + "-" + std::to_string(i);
          const auto outcome = host.message(twoLists(), mail(word));
          if (outcome && outcome->recipients[0].reason == word) ++right;
        }
      });
  }
  BOOST_TEST(right == 600);
  BOOST_TEST(host.status().failures == 0u);
}

BOOST_AUTO_TEST_CASE(calls_go_on_while_sets_are_swapped) {
  SetFolder folder("return accept{ reason = 'zero' }");
  auto options = folder.options();
  options.workers = 2;
  PolicyHost host(options);
  std::atomic<int> wrong = 0;
  std::atomic<int> answered = 0;
  {
    std::vector<std::jthread> threads;
    for (int thread = 0; thread < 4; ++thread)
      threads.emplace_back([&](std::stop_token stop) {
        while (!stop.stop_requested()) {
          const auto outcome = host.message(twoLists(), mail("x"));
          if (!outcome || outcome->recipients[0].reason != outcome->recipients[1].reason) ++wrong;
          ++answered;
        }
      });
    for (int i = 0; i < 5; ++i) {
      folder.write("probe.lua", policyText("probe", "return accept{ reason = 'set-" + std::to_string(i) + "' }"));
      BOOST_TEST(host.reload().ok);
    }
  }
  BOOST_TEST(wrong == 0);
  BOOST_TEST(answered > 0);
  BOOST_TEST(host.message(twoLists(), mail("x"))->recipients[0].reason == "set-4");
}

BOOST_AUTO_TEST_CASE(a_timeout_is_counted_and_the_next_call_is_answered) {
  SetFolder folder("if msg.subject == 'bomb' then table.move({}, 1, 1 << 60, 2) end return accept()");
  auto options = folder.options();
  options.limits.timeout = 200ms;
  PolicyHost host(options);
  BOOST_TEST(!host.message(twoLists(), mail("bomb")));
  BOOST_TEST(host.message(twoLists(), mail("x")).has_value());
  BOOST_TEST(host.status().failures == 1u);
  BOOST_TEST(host.status().workersStarted == 2u);
}

BOOST_AUTO_TEST_CASE(large_facts_pass_and_too_large_ones_fail) {
  SetFolder folder("return accept()");
  PolicyHost host(folder.options());
  auto message = mail("x");
  for (int i = 0; i < 50'000; ++i) message.headers.push_back({"X-Filler", "value", " value"});
  BOOST_TEST(host.message(twoLists(), message).has_value());
  message.headers.push_back({"X-Huge", std::string(40u << 20, 'x'), ""});
  BOOST_TEST(!host.message(twoLists(), message));
  BOOST_TEST(host.message(twoLists(), mail("x")).has_value());
}

BOOST_AUTO_TEST_SUITE_END()
