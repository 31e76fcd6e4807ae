#include "core/policy/worker/CaseRunner.h"

#include "core/base/Error.h"
#include "core/policy/worker/CaseFacts.h"
#include "core/policy/worker/PolicyShape.h"

#include <algorithm>
#include <iterator>
#include <set>

namespace postern::policy::worker {

namespace {

// Answers with what the case says, and counts in the case alone: from what it says on.
class CaseHost : public HostPort {
public:
  explicit CaseHost(Case& of) : case_(of) {}
  MessageContent content() override { return case_.content; }
  std::uint64_t count(const std::string&, const std::string& key, std::uint32_t) override {
    return case_.counts.try_emplace(key, 1).first->second++;
  }

private:
  Case& case_;
};

Question questionOf(const Case& asked) {
  if (asked.hook == Hook::Message) return messageQuestion(asked.facts, asked.message);
  if (asked.hook == Hook::Rcpt) return rcptQuestion(asked.facts, asked.recipient);
  if (asked.hook == Hook::Post) return postQuestion(asked.post);
  if (asked.hook == Hook::Member) return memberQuestion(asked.post, asked.members);
  if (asked.hook == Hook::Attempt || asked.hook == Hook::Expire) return deliveryQuestion(asked.hook, asked.copy);
  if (asked.hook == Hook::Route) return routeQuestion(asked.route);
  return sessionQuestion(asked.hook, asked.facts, asked.user);
}

std::string describe(const Verdict& verdict) {
  auto text = wordFor(verdict.kind);
  if (verdict.code != 0) text += " " + std::to_string(verdict.code) + " " + verdict.enhanced;
  if (!verdict.protection.empty()) text += " " + verdict.protection;
  for (const auto& host : verdict.hosts) text += " " + host;
  if (!verdict.reason.empty()) text += " (" + verdict.reason + ")";
  if (!verdict.text.empty()) text += ": " + verdict.text;
  return text;
}

std::string describe(const Expectation& expect) {
  auto text = expect.verdict;
  if (expect.code != 0) text += " " + std::to_string(expect.code);
  if (!expect.enhanced.empty()) text += " " + expect.enhanced;
  if (!expect.protection.empty()) text += " " + expect.protection;
  for (const auto& host : expect.hosts) text += " " + host;
  if (!expect.reason.empty()) text += " (" + expect.reason + ")";
  if (!expect.textPart.empty()) text += ": …" + expect.textPart + "…";
  return text;
}

bool matches(const Expectation& expect, const Verdict& verdict) {
  return wordFor(verdict.kind) == expect.verdict && (expect.code == 0 || expect.code == verdict.code) &&
         (expect.enhanced.empty() || expect.enhanced == verdict.enhanced) &&
         (expect.reason.empty() || expect.reason == verdict.reason) &&
         (expect.hosts.empty() || expect.hosts == verdict.hosts) &&
         (expect.protection.empty() || expect.protection == verdict.protection) &&
         verdict.text.find(expect.textPart) != std::string::npos;
}

// Empty if the answers are as expected. Recipients that the case does not name must pass.
std::string compare(const Case& asked, const std::vector<Verdict>& answers) {
  const std::string hookName = nameOf(asked.hook);
  std::set<std::string> unseen = asked.expect.recipients.value_or(std::set<std::string>());
  for (std::size_t i = 0; i < answers.size(); ++i) {
    const auto& address = asked.hook == Hook::Message ? asked.facts.recipients[i].address
                          : asked.hook == Hook::Rcpt  ? asked.recipient.address
                                                      : hookName;
    unseen.erase(address);
    const bool named = !asked.expect.recipients || asked.expect.recipients->contains(address);
    if (!named && answers[i].kind != VerdictKind::Pass) return address + ": expected pass, got " + describe(answers[i]);
    if (named && !matches(asked.expect, answers[i]))
      return address + ": expected " + describe(asked.expect) + ", got " + describe(answers[i]);
  }
  if (!unseen.empty()) return *unseen.begin() + " is expected but is no recipient of the case";
  return {};
}

void addLines(std::vector<CoveredFile>& covered, const CoveredFile& more) {
  const auto file =
      std::find_if(covered.begin(), covered.end(), [&](const auto& each) { return each.file == more.file; });
  if (file == covered.end()) return covered.push_back(more);
  std::vector<std::uint32_t> both;
  std::set_union(file->lines.begin(), file->lines.end(), more.lines.begin(), more.lines.end(),
                 std::back_inserter(both));
  file->lines = std::move(both);
}

// Whether the policy would be called at all for mail with these settings; a Lua error counts as yes, and shows itself
// in the call.
bool isCalled(const PolicyRunner& runner, const CompiledPolicy& policy, std::vector<CoveredFile>& covered) {
  bool awake = true;
  Sandbox sandbox(runner.budget(), runner.set());
  sandbox.traceLines();
  sandbox.run([&](lua_State* state) {
    sandbox.open(state);
    sandbox.enter(policy.name);
    sandbox.pushPolicy(state, policy);
    awake = isAwake(state);
  });
  for (const auto& file : sandbox.tracedLines()) addLines(covered, file);
  return awake;
}

bool says(const MessageVerdicts& outcome) {
  return !outcome.notes.empty() || std::any_of(outcome.recipients.begin(), outcome.recipients.end(),
                                               [](const Verdict& each) { return each.kind != VerdictKind::Pass; });
}

}  // namespace

CaseResult runCase(const PolicyRunner& runner, std::uint32_t policy, std::uint32_t number) {
  if (policy >= runner.set().policies.size() || number >= runner.report().policies.at(policy).cases.size())
    throw Error(ErrorKind::Malformed, "there is no such case in the policy set");
  auto compiled = runner.set().policies[policy];
  compiled.overrides.clear();
  CaseResult result{compiled.name, runner.report().policies[policy].cases[number], false, ""};
  Case asked;
  Sandbox sandbox(runner.budget(), runner.set());
  const bool read = sandbox.run([&](lua_State* state) {
    sandbox.open(state);
    sandbox.enter(compiled.name);
    sandbox.pushPolicy(state, compiled);
    pushCases(state);
    lua_rawgeti(state, -1, static_cast<lua_Integer>(number) + 1);
    asked = readCase(state, runner.declaredSettings(policy), compiled.sets);
  });
  if (!read) {
    result.text = "the case cannot be read: " + sandbox.error().substr(0, 400);
    return result;
  }
  compiled.overrides = asked.settings;
  CaseHost host(asked);
  auto question = questionOf(asked);
  question.covered = &result.covered;
  const auto outcome = runner.ask(compiled, question, host, asked.sets);
  const bool called = isCalled(runner, compiled, result.covered);
  if (!outcome)
    result.text = "failure (" + wordFor(outcome.error().kind) + "): " + outcome.error().detail;
  else if (says(*outcome) && !called)
    result.text = "`awake` says that the policy has nothing to do with these settings, and it has";
  else
    result.text = compare(asked, outcome->recipients);
  result.ok = outcome.has_value() && result.text.empty();
  return result;
}

}  // namespace postern::policy::worker
