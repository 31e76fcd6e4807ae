// Attack 12: broken policies. Whatever a policy returns or lacks, the answer is a failure (451), never an accept.
#include "core/base/Error.h"
#include "core/base/Log.h"
#include "tests/unit/core/policy/PolicyFixture.h"

#include <map>
#include <sstream>

using namespace postern::policy;
using namespace postern::policy::test;

namespace {

const char* brokenBodies[] = {
    "error('x')",
    "error({ code = 250 })",
    "error()",
    "assert(false)",
    "assert(nil, msg.subject)",
    "local x = nil; return x.y",
    "return nothing()",
    "return true",
    "return false",
    "return 250",
    "return 'accept'",
    "return {}",
    "return { kind = 'accept' }",
    "return accept",
    "return reject",
    "return tx",
    "return msg",
    "return accept(), accept()",
    "return nil, accept()",
    "return accept{ code = 250 }",
    "return accept('x')",
    "return accept({}, {})",
    "return pass{ reason = 'x' }",
    "return reject{ code = 250 }",
    "return reject{ code = 450 }",
    "return reject{ code = 600 }",
    "return reject{ code = '550' }",
    "return reject{ code = 550.5 }",
    "return reject{ code = 0/0 }",
    "return reject{ enh = '2.0.0' }",
    "return reject{ enh = '4.7.1' }",
    "return reject{ enh = '5.7' }",
    "return reject{ enh = '5.7.1\\r\\n250 ok' }",
    "return reject{ text = 5 }",
    "return reject{ text = '' }",
    "return reject{ txt = 'slip of the pen' }",
    "return reject{ 'positional' }",
    "return reject{ reason = 'Not A Word' }",
    "return reject 'text'",
    "return defer{ code = 550 }",
    "return defer{ code = 250 }",
    "return defer{ enh = '5.7.1' }",
    "return hold{ queue = '../x' }",
    "return redirect{}",
    "return redirect{ to = 'nobody' }",
    "return redirect{ to = 'a@b.example> RCPT TO:<c@d.example' }",
    "return redirect{ to = 'a@b.example\\r\\nDATA' }",
    "return verdicts{ ['stranger@example.org'] = accept() }",
    "return verdicts{ ['social@lists.example.org'] = true }",
    "return verdicts{ ['social@lists.example.org'] = verdicts{} }",
    "return verdicts{ accept() }",
    "return verdicts()",
    "return verdicts{}, accept()",
    "return setmetatable({}, { __index = accept() })",
    "tx.size = 0 return accept()",
    "msg.subject = 'x' return accept()",
    "tx.recipients[1] = nil return accept()",
    "return tx.recipient",
    "return msg.subjekt",
    "return tx.client.tls.versoin",
    "return tx.recipients.first",
    "return msg:header()",
    "return msg.header('subject')",
    "return msg:note('Bad Key', 1)",
    "mistyped = 1 return accept()",
    "return match('a')",
    "for i = 1, 65 do msg:note('k', i) end return accept()",
};

const char* brokenFiles[] = {
    "",
    "return",
    "return nil",
    "return true",
    "return {}",
    "return function() end",
    "return {}, {}",
    "local x = ",
    "return { name = 'probe', doc = 'x', hooks = { message = function(tx, msg)",  // half written
    "return { name = 'probe', doc = 'x', hooks = { message = function(tx, msg) end } ",
    "return { name = 'other', doc = 'x', hooks = { message = function() end } }",
    "return { doc = 'x', hooks = { message = function() end } }",
    "return { name = 'probe', hooks = { message = function() end } }",
    "return { name = 'probe', doc = 'x' }",
    "return { name = 'probe', doc = 'x', hooks = {} }",
    "return { name = 'probe', doc = 'x', hooks = { message = true } }",
    "return { name = 'probe', doc = 'x', hooks = { mesage = function() end } }",
    "return { name = 'probe', doc = 'x', hooks = { members = function() end } }",
    "return { name = 'probe', doc = 'x', hooks = { function() end } }",
    "return { name = 'probe', doc = 'x', hooks = { message = function() end }, settings = 5 }",
    "return { name = 'probe', doc = 'x', hooks = { message = function() end }, settings = { a = {{}} } }",
    "return { name = 'probe', doc = 'x', hooks = { message = function() end }, case = {} }",
    "return { name = 'probe', doc = 'x', hooks = { message = function() end }, cases = 5 }",
    "return { name = 'probe', doc = 'x', hooks = { message = function() end }, cases = { {} } }",
    "x = 1 return { name = 'probe', doc = 'x', hooks = { message = function() end } }",
    "require 'lib/missing' return { name = 'probe', doc = 'x', hooks = { message = function() end } }",
    "error 'at load' return { name = 'probe', doc = 'x', hooks = { message = function() end } }",
    "local f <const> = io.open return { name = 'probe', doc = 'x', hooks = { message = function() end } }",
};

}  // namespace

BOOST_AUTO_TEST_SUITE(core_policy_FailClosed)

BOOST_AUTO_TEST_CASE(whatever_a_hook_does_wrong_is_a_failure) {
  for (const auto* body : brokenBodies) {
    BOOST_TEST_CONTEXT(body) {
      const auto outcome = askOnce(body);
      BOOST_TEST(failureWord(outcome) == "script");
      if (!outcome) {
        BOOST_TEST(outcome.error().policy == "probe");
        BOOST_TEST(!outcome.error().detail.empty());
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(falling_off_the_end_and_nil_pass) {
  for (const auto* body : {"", "return", "return nil", "return pass()", "return verdicts{}"}) {
    const auto outcome = askOnce(body);
    BOOST_REQUIRE_MESSAGE(outcome.has_value(), detailOf(outcome));
    for (const auto& verdict : outcome->recipients) BOOST_TEST((verdict == Verdict{}));
  }
}

BOOST_AUTO_TEST_CASE(a_broken_file_is_never_in_force) {
  for (const auto* text : brokenFiles) {
    BOOST_TEST_CONTEXT(text) {
      SetFolder folder;
      folder.write("probe.lua", text);
      PolicyHost host(folder.options());
      BOOST_TEST(!host.status().hasSet);
      BOOST_TEST(!host.status().lastReload.check.problems.empty());
      BOOST_TEST(failureWord(host.message(twoLists(), mail("x"))) == "no-set");
      const auto rcpt = host.rcpt(twoLists(), {"a@example.org", "", false});
      BOOST_TEST(!rcpt);
    }
  }
}

BOOST_AUTO_TEST_CASE(a_broken_or_half_written_reload_leaves_the_running_set) {
  SetFolder folder("return reject{ reason = 'first' }");
  PolicyHost host(folder.options());
  const auto digest = host.status().digest;
  for (const auto* text : brokenFiles) {
    BOOST_TEST_CONTEXT(text) {
      folder.write("probe.lua", text);
      const auto report = host.reload();
      BOOST_TEST(!report.ok);
      BOOST_TEST(!report.check.problems.empty());
      const auto outcome = host.message(twoLists(), mail("x"));
      BOOST_REQUIRE_MESSAGE(outcome.has_value(), detailOf(outcome));
      BOOST_TEST(outcome->recipients[0].reason == "first");
      BOOST_TEST(host.status().digest == digest);
    }
  }
  folder.write("probe.lua", policyText("probe", "return reject{ reason = 'second' }"));
  BOOST_TEST(host.reload().ok);
  BOOST_TEST(host.message(twoLists(), mail("x"))->recipients[0].reason == "second");
}

BOOST_AUTO_TEST_CASE(a_set_whose_case_fails_is_not_put_in_force) {
  SetFolder folder("return reject{ reason = 'first' }");
  PolicyHost host(folder.options());
  folder.write("probe.lua",
               "return { name = 'probe', doc = 'x', hooks = { message = function() return accept() end }, cases = { "
               "{ title = 'must refuse', tx = { recipients = { 'a@example.org' } }, msg = { subject = 'x' }, "
               "expect = { verdict = 'reject' } } } }");
  const auto report = host.reload();
  BOOST_TEST(!report.ok);
  BOOST_TEST(report.check.ok);
  BOOST_REQUIRE(report.cases.size() == 1u);
  BOOST_TEST(report.cases[0].text.find("expected reject, got accept") != std::string::npos, report.cases[0].text);
  BOOST_TEST(host.message(twoLists(), mail("x"))->recipients[0].reason == "first");
}

BOOST_AUTO_TEST_CASE(a_missing_or_empty_folder_is_no_set) {
  SetFolder folder;
  auto options = folder.options();
  PolicyHost empty(options);
  BOOST_TEST(failureWord(empty.message(twoLists(), mail("x"))) == "no-set");
  options.folder /= "nowhere";
  PolicyHost missing(options);
  BOOST_TEST(failureWord(missing.message(twoLists(), mail("x"))) == "no-set");
}

BOOST_AUTO_TEST_CASE(a_missing_worker_program_is_said_at_the_start) {
  SetFolder folder("return accept()");
  auto options = folder.options();
  options.workerProgram = "/nowhere/postern-policy";
  BOOST_CHECK_THROW(PolicyHost{options}, postern::Error);
}

BOOST_AUTO_TEST_CASE(a_program_that_is_no_worker_gives_no_set) {
  SetFolder folder("return accept()");
  auto options = folder.options();
  for (const auto* program : {"/bin/true", "/bin/echo"}) {
    options.workerProgram = program;
    PolicyHost host(options);
    BOOST_TEST(failureWord(host.message(twoLists(), mail("x"))) == "no-set");
  }
}

BOOST_AUTO_TEST_CASE(a_failure_in_the_second_policy_is_not_hidden_by_the_first) {
  SetFolder folder;
  folder.write("a_first.lua", policyText("a_first", "return verdicts{ ['board@lists.example.org'] = accept() }"));
  folder.write("b_second.lua", policyText("b_second", "error('x')"));
  PolicyHost host(folder.options());
  const auto outcome = host.message(twoLists(), mail("x"));
  BOOST_TEST(failureWord(outcome) == "script");
  BOOST_TEST(outcome.error().policy == "b_second");
}

// Behind the 250 there is no sender to tell anything.
BOOST_AUTO_TEST_CASE(the_log_says_what_becomes_of_the_mail_when_a_policy_fails) {
  SetFolder folder;
  folder.write("probe.lua",
               "local function broken() error('x') end return { name = 'probe', doc = 'for a test', hooks = { "
               "rcpt = broken, message = broken, post = broken, attempt = broken, route = broken } }");
  const postern::test::TempFolder logs;
  postern::log::open("unit", postern::log::Options{.to = "file", .folder = logs.path()});
  {
    PolicyHost host(folder.options());
    DeliveryFacts copy;
    copy.hop = HopFacts{"mx.example.org", "192.0.2.1", {}, false};
    BOOST_TEST(!host.rcpt(twoLists(), twoLists().recipients[0]));
    BOOST_TEST(!host.message(twoLists(), mail("x")));
    BOOST_TEST(!host.post({}));
    BOOST_TEST(!host.delivery(Hook::Attempt, copy));
    BOOST_TEST(!host.route({"example.org", {{"mx.example.org", "192.0.2.1", 25}}}));
  }
  postern::log::open("unit", "error");
  std::map<std::string, std::string> lines;
  std::istringstream written(postern::files::read(logs.path() / "unit.log"));
  for (std::string line; std::getline(written, line);)
    for (const std::string hook : {"rcpt", "message", "post", "attempt", "route"})
      if (line.find("\"hook\":\"" + hook + "\"") != std::string::npos) lines[hook] = line;
  BOOST_REQUIRE(lines.size() == 5u);
  for (const auto& [hook, line] : lines) {
    const bool toldSender = line.find("the sender was told to try again later") != std::string::npos;
    BOOST_TEST(toldSender == (hook == "rcpt" || hook == "message"), line);
    if (hook == "post") BOOST_TEST(line.find("the post waits") != std::string::npos, line);
    if (hook == "attempt") BOOST_TEST(line.find("the copy waits") != std::string::npos, line);
  }
}

BOOST_AUTO_TEST_CASE(failures_quote_no_mail) {
  for (const auto* body : {"error(msg.subject)", "assert(false, msg.subject)", "return tx[msg.subject]",
                           "local ok, why = pcall(error, msg.subject) error(why)", "return reject{ [msg.subject] = 1 }",
                           "return msg.subject", "return msg.subject + 1", "return require(msg.subject)",
                           "return msg:note(msg.subject, 1)", "return nothing[msg.subject]",
                           "return verdicts{ [msg.subject] = accept() }", "return tonumber('1', msg.subject)",
                           "error(setmetatable({}, { __tostring = function() return msg.subject end }))"}) {
    BOOST_TEST_CONTEXT(body) {
      SetFolder folder(body);
      PolicyHost host(folder.options());
      const auto outcome = host.message(twoLists(), mail("canary-7Q2 is in the subject"));
      BOOST_REQUIRE(!outcome);
      BOOST_TEST(outcome.error().detail.find("canary") == std::string::npos, outcome.error().detail);
    }
  }
}

BOOST_AUTO_TEST_CASE(reply_text_cannot_carry_a_second_line_or_foreign_bytes) {
  const auto outcome =
      askOnce("return reject{ text = 'no\\r\\n250 2.0.0 ok\\0\\n' .. msg.subject .. ('x'):rep(2000) }");
  BOOST_REQUIRE_MESSAGE(outcome.has_value(), detailOf(outcome));
  const auto& text = outcome->recipients[0].text;
  BOOST_TEST(text.size() == 900u);
  for (const char c : text) BOOST_TEST((c >= ' ' && c <= '~'));
}

BOOST_AUTO_TEST_SUITE_END()
