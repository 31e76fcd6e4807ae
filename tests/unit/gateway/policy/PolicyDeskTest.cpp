#include "core/base/Error.h"
#include "gateway/policy/PolicyDesk.h"
#include "tests/unit/core/policy/PolicyFixture.h"
#include "tests/unit/gateway/smtp/Fakes.h"

#include <nlohmann/json.hpp>

using namespace postern;
using namespace postern::gateway;
using namespace postern::policy::test;
using nlohmann::json;

namespace {

std::string withCase(const std::string& body, const std::string& verdict) {
  return "return { name = \"probe\", doc = \"d\", sets = { words = \"w\" }, hooks = { message = function(tx, msg)\n" +
         body +
         "\nend }, cases = { { title = \"t\", tx = { recipients = { \"a@x.example\" } }, msg = { subject = \"x\" }, "
         "expect = { verdict = \"" +
         verdict + "\" } } } }\n";
}

struct Desk {
  SetFolder folder{"return pass()"};
  postern::test::TempFolder data;
  FakeClock clock{fromMicros(1'800'000'000'000'000)};
  fakes::FakeDirectory directory;
  policy::PolicyHost host{folder.options()};
  HostPolicies live{host};
  Shadow shadow{live, clock};
  TransactionInspector inspector{shadow, directory};
  PolicyFile file{data.path() / "policies.bin"};
  PolicyDesk desk{host, folder.options(), file, {}, inspector, directory, shadow};

  json ask(const std::string& action, const json& request = json::object(), const app::Submission& mail = {}) {
    return json::parse(desk.answer(action, request.dump(), mail.encode()));
  }
  static json set(const std::string& text) { return {{"files", {{"probe.lua", text}}}, {"sets", json::object()}}; }
  static app::Submission mail(const std::string& subject = "Budget") {
    app::Submission submission;
    submission.mailFrom = "ann@example.org";
    submission.recipients = {"a@x.example", "b@x.example"};
    submission.content = "From: ann@example.org\r\nSubject: " + subject + "\r\n\r\ntext\r\n";
    return submission;
  }
  // What the door says, through the shadow.
  policy::MessageOutcome atTheDoor(const std::string& subject) {
    policy::TransactionFacts facts;
    facts.recipients = {{"a@x.example", "", false}};
    facts.trace = "0123456789abcdef";
    policy::MessageFacts message;
    message.subject = subject;
    return shadow.message(facts, message);
  }
  json reportOnce(std::uint64_t compared) {
    for (int i = 0; i < 3'000; ++i) {
      auto report = ask("shadow-report");
      if (report["compared"] >= compared) return report;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return {};
  }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(gateway_policy_PolicyDesk, Desk)

BOOST_AUTO_TEST_CASE(a_set_that_fails_never_comes_into_force_and_leaves_no_file) {
  const auto before = ask("in-force");
  BOOST_TEST(!ask("use", set(withCase("return pass()", "reject")))["ok"].get<bool>());
  BOOST_TEST(!ask("use", set("return 1"))["ok"].get<bool>());
  BOOST_TEST(!ask("use", json{{"files", {{"../x.lua", "return 1"}}}, {"sets", json::object()}})["ok"].get<bool>());
  BOOST_TEST(ask("in-force") == before);
  BOOST_TEST(!file.read().texts.has_value());
}

BOOST_AUTO_TEST_CASE(a_good_set_is_in_force_at_once_and_after_a_restart) {
  auto request = set(withCase("if in_set('words', msg.subject) then return reject{} end", "pass"));
  request["sets"] = {{"words", {"budget"}}};
  BOOST_TEST(ask("use", request)["ok"].get<bool>());
  BOOST_TEST((atTheDoor("budget")->recipients[0].kind == policy::VerdictKind::Reject));
  const auto kept = file.read();
  BOOST_TEST_REQUIRE(kept.texts.has_value());
  auto options = folder.options();
  options.initial = kept.texts;
  options.sets = kept.values;
  policy::PolicyHost again(options);
  BOOST_TEST(again.status().digest == ask("state")["digest"].get<std::string>());
  policy::TransactionFacts facts;
  facts.recipients = {{"a@x.example", "", false}};
  policy::MessageFacts message;
  message.subject = "budget";
  BOOST_TEST((again.message(facts, message)->recipients[0].kind == policy::VerdictKind::Reject));
  ask("sets", {{"sets", {{"words", {"other"}}}}});
  BOOST_TEST((atTheDoor("budget")->recipients[0].kind == policy::VerdictKind::Pass));
}

BOOST_AUTO_TEST_CASE(a_damaged_file_is_no_set_and_not_that_of_the_folder) {
  BOOST_TEST(ask("use", set(withCase("return pass()", "pass")))["ok"].get<bool>());
  auto bytes = files::read(data.path() / "policies.bin");
  for (const std::size_t length : {std::size_t{0}, std::size_t{1}, bytes.size() / 2, bytes.size() - 1}) {
    files::replaceDurably(data.path() / "policies.bin", bytes.substr(0, length));
    auto options = folder.options();
    options.initial = file.readOrNone().texts;
    BOOST_TEST_REQUIRE(options.initial.has_value());
    BOOST_TEST(!policy::PolicyHost(options).status().hasSet);
  }
}

BOOST_AUTO_TEST_CASE(an_explanation_tells_each_policy_and_counts_nothing) {
  const std::string first =
      policyText("first", "msg:note('seen', 'yes')\nreturn verdicts{ ['a@x.example'] = reject{ reason = 'no' } }");
  const std::string second = policyText("second", "return defer{ text = 'later' }");
  const json request{{"files", {{"first.lua", first}, {"second.lua", second}}}};
  const auto calls = host.status().calls;
  const auto view = ask("explain", request, mail());
  BOOST_TEST(host.status().calls == calls);
  BOOST_TEST(view["recipients"][0]["policy"] == "first");
  BOOST_TEST(view["recipients"][1]["policy"] == "second");
  const auto steps = view["hooks"].back()["steps"];
  BOOST_TEST_REQUIRE(steps.size() == 2u);
  BOOST_TEST(steps[0]["verdicts"][0]["verdict"] == "reject");
  BOOST_TEST(steps[0]["verdicts"][1]["verdict"] == "pass");
  BOOST_TEST(steps[0]["notes"][0]["key"] == "seen");
  BOOST_TEST(steps[1]["verdicts"][0].is_null());  // decided before
  BOOST_TEST(steps[1]["verdicts"][1]["text"] == "later");
}

BOOST_AUTO_TEST_CASE(a_failing_policy_is_explained_as_a_failure) {
  const auto view = ask("explain", {{"files", {{"p.lua", policyText("p", "return msg.nothing")}}}}, mail());
  BOOST_TEST(view["recipients"][0]["verdict"] == "failure");
  BOOST_TEST(view["hooks"].back()["failure"]["policy"] == "p");
}

BOOST_AUTO_TEST_CASE(a_shadow_changes_no_outcome_and_counts_what_differs) {
  auto candidate = set(withCase("if msg.subject == 'raffle' then return reject{ reason = 'raffle' } end", "pass"));
  candidate["until"] = toMicros(clock.now() + std::chrono::hours(1));
  BOOST_TEST(ask("shadow-start", candidate)["ok"].get<bool>());
  BOOST_TEST((atTheDoor("raffle")->recipients[0].kind == policy::VerdictKind::Pass));
  BOOST_TEST((atTheDoor("x")->recipients[0].kind == policy::VerdictKind::Pass));
  const auto report = reportOnce(2);
  BOOST_TEST(report["different"] == 1);
  BOOST_TEST(report["kinds"][0]["then"] == "reject raffle (probe)");
  BOOST_TEST(report["kinds"][0]["examples"][0] == "0123456789abcdef");
  clock.advance(std::chrono::hours(2));
  BOOST_TEST(atTheDoor("raffle").has_value());
  BOOST_TEST(!ask("shadow-report")["running"].get<bool>());
}

BOOST_AUTO_TEST_CASE(a_shadow_that_cannot_keep_up_drops_and_never_makes_the_door_wait) {
  auto candidate = set(policyText("probe", "while msg.subject ~= 'x' do end"));
  candidate["until"] = toMicros(clock.now() + std::chrono::hours(1));
  BOOST_TEST(ask("shadow-start", candidate)["ok"].get<bool>());
  for (int i = 0; i < 400; ++i) BOOST_TEST_REQUIRE(atTheDoor("raffle").has_value());
  BOOST_TEST(ask("shadow-report")["dropped"] > 0);
  BOOST_TEST(host.status().failures == 0u);
}

BOOST_AUTO_TEST_CASE(a_reason_that_a_policy_makes_of_the_mail_is_not_told) {
  const auto view =
      ask("compare", set(withCase("return reject{ reason = msg.subject == 'x' and 'known' or msg.subject }", "reject")),
          mail("s3cret"));
  BOOST_TEST(view.dump().find("s3cret") == std::string::npos);
  BOOST_TEST(view["differences"].size() == 2u);
  BOOST_TEST(view["differences"][0]["then"] == "reject (probe)");
}

BOOST_AUTO_TEST_CASE(cases_say_which_lines_they_ran) {
  const auto report =
      ask("test", set(withCase("if msg.subject == 'y' then\n  return reject{}\nend\nreturn pass()", "pass")));
  BOOST_TEST(report["ok"].get<bool>());
  const auto lines = report["covered"]["probe.lua"].get<std::vector<int>>();
  const auto ran = [&](int line) { return std::find(lines.begin(), lines.end(), line) != lines.end(); };
  BOOST_TEST(ran(2));
  BOOST_TEST(!ran(3));
  BOOST_TEST(ran(5));
}

BOOST_AUTO_TEST_CASE(hooks_before_rcpt_are_explained_and_what_they_refuse_is_refused_for_all) {
  const json request{{"files",
                      {{"p.lua",
                        "return { name = \"p\", doc = \"d\", hooks = { mail = function(tx) return reject{ "
                        "reason = 'no-mail' } end } }"}}}};
  const auto view = ask("explain", request, mail());
  BOOST_TEST(view["recipients"].size() == 2u);
  BOOST_TEST(view["recipients"][1]["hook"] == "mail");
  BOOST_TEST(view["recipients"][1]["reason"] == "no-mail");
  auto candidate = request;
  candidate["until"] = toMicros(clock.now() + std::chrono::hours(1));
  BOOST_TEST(ask("shadow-start", candidate)["ok"].get<bool>());
  BOOST_TEST(shadow.asks(policy::Hook::Mail));
  BOOST_TEST(!shadow.asks(policy::Hook::Ehlo));
  BOOST_TEST((shadow.session(policy::Hook::Mail, {}, {})->kind == policy::VerdictKind::Pass));
  BOOST_TEST(reportOnce(1)["kinds"][0]["then"] == "reject no-mail (p)");
}

BOOST_AUTO_TEST_CASE(what_is_no_request_is_refused) {
  BOOST_CHECK_THROW(desk.answer("use", "no json", ""), Error);
  BOOST_TEST(!json::parse(desk.answer("use", R"({"files": {}})", ""))["ok"].get<bool>());
  BOOST_CHECK_THROW(desk.answer("sets", R"({"sets": {"a": [1]}})", ""), Error);
  BOOST_CHECK_THROW(desk.answer("anything", "{}", ""), Error);
}

BOOST_AUTO_TEST_SUITE_END()
