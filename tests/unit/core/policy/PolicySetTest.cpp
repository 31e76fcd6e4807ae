#include "core/policy/PolicySet.h"
#include "tests/unit/core/policy/PolicyFixture.h"

using namespace postern::policy;
using namespace postern::policy::test;

namespace {

std::string allProblems(const CheckReport& report) {
  std::string text;
  for (const auto& problem : report.problems)
    text += problem.file + ":" + std::to_string(problem.line) + ": " + problem.text + "\n";
  return text;
}

bool mentions(const CheckReport& report, const std::string& part) {
  return allProblems(report).find(part) != std::string::npos;
}

std::string caseText(const std::string& oneCase) {
  return "return { name = 'probe', doc = 'x', settings = { word = 'a', n = 1 }, hooks = { "
         "rcpt = function(tx, rcpt) if rcpt.secure then return defer{} end end, "
         "message = function(tx, msg) if msg.subject == 'no' then return verdicts{ "
         "[tx.recipients[1].address] = reject{ code = 554, text = 'because' } } end end }, cases = { { title = 't', " +
         oneCase + " } } }";
}

CaseResult runOne(const std::string& oneCase) {
  SetFolder folder;
  folder.write("probe.lua", caseText(oneCase));
  const auto report = testSet(folder.path(), WorkerProgram);
  BOOST_REQUIRE_MESSAGE(report.check.ok, allProblems(report.check));
  BOOST_REQUIRE(report.cases.size() == 1u);
  BOOST_TEST(report.ok == report.cases[0].ok);
  return report.cases[0];
}

// With one case, which sets the limit to 1.
std::string limitPolicy(const std::string& awake) {
  return "local s = { limit = 0 } return { name = 'probe', doc = 'x', settings = s, awake = " + awake +
         ", hooks = { rcpt = function() return reject{ reason = 'asked' } end }, cases = { { title = 'a', hook = "
         "'rcpt', "
         "rcpt = 'a@x.org', settings = { limit = 1 }, expect = { verdict = 'reject' } } } }";
}

}  // namespace

BOOST_AUTO_TEST_SUITE(core_policy_PolicySet)

BOOST_AUTO_TEST_CASE(the_shipped_set_passes_all_its_cases) {
  const auto report = testSet(ShippedFolder, WorkerProgram);
  BOOST_TEST(report.check.ok, allProblems(report.check));
  BOOST_TEST(report.check.warnings.empty());
  for (const auto& result : report.cases)
    BOOST_TEST(result.ok, result.policy << ": " << result.title << ": " << result.text);
  BOOST_TEST(report.cases.size() > 80u);
  BOOST_TEST(report.ok);
}

BOOST_AUTO_TEST_CASE(a_check_names_file_line_and_cause) {
  SetFolder folder;
  folder.write("probe.lua", "local a = 1\nlocal b = = 2\n");
  const auto report = checkSet(folder.path(), WorkerProgram);
  BOOST_REQUIRE(report.problems.size() == 1u);
  BOOST_TEST(report.problems[0].file == "probe.lua");
  BOOST_TEST(report.problems[0].line == 2u);
  BOOST_TEST(report.problems[0].text.find("unexpected symbol") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_check_reports_every_file) {
  SetFolder folder;
  folder.write("a.lua", "return = 1");
  folder.write("b.lua", "return {}");
  folder.write("lib/c.lua", "x x");
  const auto report = checkSet(folder.path(), WorkerProgram);
  BOOST_TEST(mentions(report, "a.lua:1"));
  BOOST_TEST(mentions(report, "b.lua:0"));
  BOOST_TEST(mentions(report, "lib/c.lua:1"));
}

BOOST_AUTO_TEST_CASE(a_policy_without_cases_is_a_warning) {
  const SetFolder folder("return pass()");
  const auto report = checkSet(folder.path(), WorkerProgram);
  BOOST_TEST(report.ok);
  BOOST_TEST(report.warnings.size() == 1u);
  BOOST_TEST(report.policies[0].hooks == std::vector<std::string>{"message"});
}

BOOST_AUTO_TEST_CASE(bad_file_names_are_problems_and_other_files_are_ignored) {
  SetFolder folder("return pass()");
  folder.write("README.md", "x");
  folder.write(".hidden.lua", "x x");
  folder.write("probe.lua~", "x x");
  folder.write("meta/postern.lua", "x x");
  folder.write("tests/t.lua", "x x");
  BOOST_TEST(checkSet(folder.path(), WorkerProgram).ok);
  folder.write("Bad-Name.lua", "return {}");
  BOOST_TEST(mentions(checkSet(folder.path(), WorkerProgram), "the name of a policy file"));
}

BOOST_AUTO_TEST_CASE(order_is_by_name_or_by_the_order_file) {
  SetFolder folder;
  for (const std::string name : {"a", "b", "c"}) folder.write(name + ".lua", policyText(name, "return pass()"));
  BOOST_TEST(readSet(folder.path())->order == (std::vector<std::string>{"a", "b", "c"}));
  folder.write("order.txt", "# first\nc  # the strict one\n\n  a\n");
  BOOST_TEST(readSet(folder.path())->order == (std::vector<std::string>{"c", "a", "b"}));
  folder.write("order.txt", "c\nd\nc\n");
  const auto bad = readSet(folder.path());
  BOOST_REQUIRE(!bad);
  BOOST_TEST(bad.error().size() == 2u);
  BOOST_TEST(bad.error()[0].line == 2u);
}

BOOST_AUTO_TEST_CASE(the_first_verdict_for_a_recipient_wins) {
  SetFolder folder;
  folder.write("a.lua", policyText("a", "return verdicts{ ['board@lists.example.org'] = accept{ reason = 'a' } }"));
  folder.write("b.lua", policyText("b", "return reject{ reason = 'b' }"));
  folder.write("c.lua", policyText("c", "error 'never asked: all is decided'"));
  PolicyHost host(folder.options());
  const auto outcome = host.message(twoLists(), mail("x"));
  BOOST_REQUIRE_MESSAGE(outcome.has_value(), detailOf(outcome));
  BOOST_TEST(outcome->recipients[0].reason == "a");
  BOOST_TEST(outcome->recipients[0].policy == "a");
  BOOST_TEST(outcome->recipients[1].reason == "b");
}

BOOST_AUTO_TEST_CASE(site_settings_replace_declared_defaults) {
  SetFolder folder;
  folder.write("probe.lua",
               "local settings = { word = 'default', list = { 'a' }, on = false, n = 1 } return { name = 'probe', "
               "doc = 'x', settings = settings, hooks = { message = function() return accept{ reason = "
               "settings.word .. settings.n .. #settings.list .. (settings.on and 'on' or 'off') } end } }");
  PolicyHost host(folder.options());
  BOOST_TEST(host.message(twoLists(), mail("x"))->recipients[0].reason == "default11off");
  folder.write("settings.lua", "return { probe = { word = 'site', list = { 'x', 'y' }, on = true, n = 7 } }");
  BOOST_TEST(host.reload().ok);
  BOOST_TEST(host.message(twoLists(), mail("x"))->recipients[0].reason == "site72on");
}

BOOST_AUTO_TEST_CASE(a_policy_that_its_settings_leave_nothing_to_do_is_not_called) {
  SetFolder folder;
  folder.write("probe.lua", limitPolicy("function() return s.limit > 0 end"));
  PolicyHost host(folder.options());
  BOOST_TEST(host.status().lastReload.check.policies.at(0).asleep);
  BOOST_TEST(host.status().lastReload.cases.at(0).ok);  // with the settings of the case
  BOOST_TEST(!host.asks(Hook::Rcpt));
  folder.write("settings.lua", "return { probe = { limit = 5 } }");
  BOOST_TEST(host.reload().ok);
  BOOST_TEST(!host.status().lastReload.check.policies.at(0).asleep);
  BOOST_TEST(host.asks(Hook::Rcpt));
}

BOOST_AUTO_TEST_CASE(a_policy_that_sleeps_where_it_has_something_to_do_fails_its_cases) {
  SetFolder folder;
  folder.write("probe.lua", limitPolicy("function() return s.limit > 1 end"));
  const auto result = testSet(folder.path(), WorkerProgram).cases.at(0);
  BOOST_TEST(!result.ok);
  BOOST_TEST(result.text.find("`awake` says") != std::string::npos, result.text);
}

BOOST_AUTO_TEST_CASE(a_policy_that_cannot_say_whether_it_is_awake_is_a_problem_of_the_set) {
  for (const auto& [awake, part] : std::initializer_list<std::pair<const char*, const char*>>{
           {"5", "`awake` must be a function"},
           {"function() return 1 end", "`awake` must return true or false"},
           {"function() return s.limit.x > 1 end", "attempt to"},
           {"function() while true do end end", "instructions"}}) {
    SetFolder folder;
    folder.write("probe.lua", limitPolicy(awake));
    const auto report = checkSet(folder.path(), WorkerProgram);
    BOOST_TEST(!report.ok);
    BOOST_TEST(mentions(report, part), allProblems(report));
  }
}

BOOST_AUTO_TEST_CASE(settings_that_do_not_fit_are_problems) {
  for (const auto& [text, part] : std::initializer_list<std::pair<const char*, const char*>>{
           {"return { probe = { wrod = 'x' } }", "there is no setting `wrod`"},
           {"return { probe = { word = 5 } }", "`word` must be a text"},
           {"return { probe = { word = { 'x' } } }", "`word` must be a text"},
           {"return { prob = { word = 'x' } }", "there is no policy `prob`"},
           {"return { probe = 5 }", "settings.lua must return"},
           {"return { probe = { word = function() end } }", "must be a text, number"},
           {"return 5", "must return one table"},
           {"return { probe = ", "settings.lua:1"}}) {
    BOOST_TEST_CONTEXT(text) {
      SetFolder folder;
      folder.write("probe.lua",
                   "local s = { word = 'a' } return { name = 'probe', doc = 'x', settings = s, "
                   "hooks = { message = function() end } }");
      folder.write("settings.lua", text);
      const auto report = checkSet(folder.path(), WorkerProgram);
      BOOST_TEST(!report.ok);
      BOOST_TEST(mentions(report, part), allProblems(report));
    }
  }
}

BOOST_AUTO_TEST_CASE(cases_hold_the_answer_against_what_is_expected) {
  const std::string ask = "tx = { recipients = { 'a@x.org', 'b@x.org' } }, msg = { subject = 'no' }, expect = ";
  BOOST_TEST(runOne(ask + "{ verdict = 'reject', code = 554, text = 'because', recipients = { 'a@x.org' } }").ok);
  BOOST_TEST(!runOne(ask + "{ verdict = 'reject' }").ok);
  BOOST_TEST(!runOne(ask + "{ verdict = 'reject', recipients = { 'b@x.org' } }").ok);
  BOOST_TEST(!runOne(ask + "{ verdict = 'reject', recipients = { 'a@x.org', 'c@x.org' } }").ok);
  BOOST_TEST(!runOne(ask + "{ verdict = 'reject', code = 550, recipients = { 'a@x.org' } }").ok);
  BOOST_TEST(!runOne(ask + "{ verdict = 'reject', reason = 'x', recipients = { 'a@x.org' } }").ok);
  BOOST_TEST(!runOne(ask + "{ verdict = 'reject', text = 'else', recipients = { 'a@x.org' } }").ok);
  BOOST_TEST(!runOne(ask + "{ verdict = 'pass' }").ok);
  BOOST_TEST(runOne("hook = 'rcpt', rcpt = { address = 'a@x.org', secure = true }, expect = { verdict = 'defer' }").ok);
  BOOST_TEST(runOne("hook = 'rcpt', rcpt = 'a@x.org', expect = { verdict = 'pass' }").ok);
}

BOOST_AUTO_TEST_CASE(a_case_that_cannot_be_read_fails) {
  for (const auto* text : {
           "expect = { verdict = 'pass' }",
           "msg = { subject = 'x' }, expect = { verdict = 'pass' }",
           "tx = { recipients = { 'a@x.org' } }, msg = { subject = 'x' }",
           "tx = { recipients = { 'a@x.org' } }, msg = { subject = 'x' }, expect = { verdict = 'fine' }",
           "tx = { recipients = { 'a@x.org' } }, msg = { subjekt = 'x' }, expect = { verdict = 'pass' }",
           "tx = { recipients = { 'a@x.org' } }, msg = { subject = 5 }, expect = { verdict = 'pass' }",
           "tx = { recipient = { 'a@x.org' } }, msg = { subject = 'x' }, expect = { verdict = 'pass' }",
           "tx = { recipients = { 'a@x.org' } }, msg = { headers = { 'x' } }, expect = { verdict = 'pass' }",
           "tx = { recipients = { 'a@x.org' } }, msg = { subject = 'x' }, expects = { verdict = 'pass' }",
           "hook = 'attempt', expect = { verdict = 'pass' }",
           "settings = { wrod = 'x' }, hook = 'rcpt', rcpt = 'a@x.org', expect = { verdict = 'pass' }",
       }) {
    BOOST_TEST_CONTEXT(text) {
      const auto result = runOne(text);
      BOOST_TEST(!result.ok);
      BOOST_TEST(result.text.find("cannot be read") != std::string::npos, result.text);
    }
  }
}

BOOST_AUTO_TEST_CASE(a_case_that_hangs_fails_and_the_others_still_run) {
  SetFolder folder;
  folder.write("probe.lua",
               "local function ask(s) return { title = s, tx = { recipients = { 'a@x.org' } }, msg = { subject = s }, "
               "expect = { verdict = 'accept' } } end return { name = 'probe', doc = 'x', hooks = { message = "
               "function(tx, msg) if msg.subject == 'hang' then return (('a'):rep(40)):find(('a?'):rep(40) .. "
               "('a'):rep(40) .. 'b') end return accept() end }, cases = { ask 'one', ask 'hang', ask 'two' } }");
  CallLimits limits;
  limits.timeout = std::chrono::milliseconds(300);
  const auto report = testSet(folder.path(), WorkerProgram, limits);
  BOOST_REQUIRE(report.cases.size() == 3u);
  BOOST_TEST(report.cases[0].ok);
  BOOST_TEST(!report.cases[1].ok);
  BOOST_TEST(report.cases[1].text == "killed after 300 ms");
  BOOST_TEST(report.cases[2].ok, report.cases[2].text);
}

BOOST_AUTO_TEST_SUITE_END()
