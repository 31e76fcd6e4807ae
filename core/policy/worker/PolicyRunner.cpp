#include "core/policy/worker/PolicyRunner.h"

#include "core/policy/worker/FactProxies.h"
#include "core/policy/worker/PolicyShape.h"

#include <algorithm>

namespace postern::policy::worker {

namespace {

constexpr std::size_t MaxDetail = 400;

bool hasHook(const CompiledPolicy& policy, Hook hook) {
  return hook == Hook::Rcpt ? policy.hasRcpt : policy.hasMessage;
}

bool isDecided(const Verdict& verdict) {
  return verdict.kind != VerdictKind::Pass;
}

// The text of a Lua error as it may go into a log: what the script raised itself may quote mail, so only its place
// stays.
std::string loggable(const Sandbox& sandbox) {
  if (!sandbox.errorWasRaisedByScript()) return sandbox.error().substr(0, MaxDetail);
  const auto place = splitLuaError(sandbox.error());
  const auto where = place.line == 0 ? std::string() : place.file + ":" + std::to_string(place.line) + ": ";
  return where + "the policy called error(); its text may hold mail content and is not shown";
}

}  // namespace

PolicyRunner::PolicyRunner(const frame::LoadRequest& request) : budget_{request.instructions, request.memory} {
  compileFiles(request);
  for (auto& policy : set_.policies) inspect(policy);
  for (const auto& entry : settings_)
    if (std::none_of(set_.policies.begin(), set_.policies.end(), [&](const auto& p) { return p.name == entry.first; }))
      report_.problems.push_back({"settings.lua", 0, "there is no policy `" + entry.first + "` in this set"});
  report_.ok = report_.problems.empty() && !set_.policies.empty();
  if (!report_.ok) set_ = {};
}

void PolicyRunner::compileFiles(const frame::LoadRequest& request) {
  std::map<std::string, std::string> policies;
  for (const auto& file : request.files) {
    auto compiled = compile(file.path, file.text, budget_);
    if (!compiled.error.empty()) {
      addProblem(file.path, compiled.error);
      continue;
    }
    const auto name = file.path.substr(0, file.path.size() - std::min<std::size_t>(file.path.size(), 4));
    if (file.path == "settings.lua")
      readSettings(compiled.bytecode);
    else if (file.path.starts_with("lib/"))
      set_.modules.emplace(name, std::move(compiled.bytecode));
    else
      policies.emplace(name, std::move(compiled.bytecode));
  }
  for (const auto& name : request.order) {
    const auto found = policies.find(name);
    if (found == policies.end()) continue;  // did not compile; there is a problem already
    set_.policies.push_back({name, std::move(found->second), false, false, {}});
    policies.erase(found);
  }
  for (const auto& [name, bytecode] : policies)
    report_.problems.push_back({name + ".lua", 0, "this policy is not in the order of the set"});
}

void PolicyRunner::readSettings(const std::string& bytecode) {
  Sandbox sandbox(budget_, set_);
  const bool ok = sandbox.run([&](lua_State* state) {
    sandbox.open(state);
    sandbox.runFile(state, "settings", bytecode);
    settings_ = readSiteSettings(state);
  });
  if (!ok) addProblem("settings.lua", sandbox.error());
}

void PolicyRunner::inspect(CompiledPolicy& policy) {
  const auto file = policy.name + ".lua";
  PolicyShape shape;
  Sandbox sandbox(budget_, set_);
  const bool ran = sandbox.run([&](lua_State* state) {
    sandbox.open(state);
    sandbox.enter(policy.name);
    sandbox.pushPolicy(state, policy);
    shape = readShape(state, policy.name);
  });
  declared_.push_back(shape.settings);
  if (!ran) return addProblem(file, sandbox.error());
  for (const auto& text : shape.problems) report_.problems.push_back({file, 0, text});
  if (const auto found = settings_.find(policy.name); found != settings_.end()) {
    for (const auto& text : mismatches(found->second, shape.settings))
      report_.problems.push_back({"settings.lua", 0, policy.name + ": " + text});
    policy.overrides = found->second;
  }
  const auto& hooks = shape.info.hooks;
  policy.hasRcpt = std::find(hooks.begin(), hooks.end(), "rcpt") != hooks.end();
  policy.hasMessage = std::find(hooks.begin(), hooks.end(), "message") != hooks.end();
  if (shape.info.cases.empty()) report_.warnings.push_back({file, 0, "has no cases: nothing shows that it works"});
  report_.policies.push_back(std::move(shape.info));
}

void PolicyRunner::addProblem(const std::string& file, const std::string& luaError) {
  const auto place = splitLuaError(luaError);
  if (place.line > 0)
    report_.problems.push_back({place.file, place.line, place.text.substr(0, MaxDetail)});
  else
    report_.problems.push_back({file, 0, luaError.substr(0, MaxDetail)});
}

MessageOutcome PolicyRunner::rcpt(const TransactionFacts& facts, const RecipientFacts& recipient) const {
  return run({Hook::Rcpt, facts, &recipient, nullptr}, nullptr);
}

MessageOutcome PolicyRunner::message(const TransactionFacts& facts, const MessageFacts& message) const {
  return run({Hook::Message, facts, nullptr, &message}, nullptr);
}

MessageOutcome PolicyRunner::ask(const CompiledPolicy& policy, Hook hook, const TransactionFacts& facts,
                                 const RecipientFacts* recipient, const MessageFacts* message) const {
  return run({hook, facts, recipient, message}, &policy);
}

MessageOutcome PolicyRunner::run(const Question& question, const CompiledPolicy* only) const {
  if (!report_.ok) return Unexpected(Failure{FailureKind::NoSet, "", "this worker has no policy set"});
  MessageVerdicts verdicts;
  verdicts.recipients.resize(question.hook == Hook::Rcpt ? 1 : question.facts.recipients.size());
  Sandbox sandbox(budget_, set_);
  const bool ok = sandbox.run([&](lua_State* state) {
    sandbox.open(state);
    askAll(state, question, only, verdicts.recipients);
  });
  if (!ok) return Unexpected(Failure{sandbox.failure(), sandbox.policy(), loggable(sandbox)});
  verdicts.notes = sandbox.notes();
  return verdicts;
}

void PolicyRunner::askAll(lua_State* state, const Question& question, const CompiledPolicy* only,
                          std::vector<Verdict>& answers) const {
  auto& sandbox = Sandbox::of(state);
  const std::vector<RecipientFacts> none;
  const auto& recipients = question.hook == Hook::Rcpt ? none : question.facts.recipients;
  for (const auto& member : set_.policies) {
    const auto& policy = only ? *only : member;
    if (only && only->name != member.name) continue;
    if (!hasHook(policy, question.hook)) continue;
    if (std::all_of(answers.begin(), answers.end(), isDecided)) return;
    sandbox.enter(policy.name);
    lua_settop(state, 0);
    sandbox.pushHook(state, policy, nameOf(question.hook));
    pushTransaction(state, question.facts);
    if (question.hook == Hook::Rcpt)
      pushRecipient(state, *question.recipient);
    else
      pushMessage(state, *question.message);
    lua_call(state, 2, LUA_MULTRET);
    applyAnswer(state, 1, question.hook, recipients, answers);
  }
}

}  // namespace postern::policy::worker
