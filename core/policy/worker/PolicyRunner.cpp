#include "core/policy/worker/PolicyRunner.h"

#include "core/policy/worker/DeliveryProxies.h"
#include "core/policy/worker/FactProxies.h"
#include "core/policy/worker/ListProxies.h"
#include "core/policy/worker/Literals.h"
#include "core/policy/worker/PolicyShape.h"

#include <algorithm>
#include <chrono>

namespace postern::policy::worker {

namespace {

constexpr std::size_t MaxDetail = 400;

// Protection is no decision: the policies behind may ask for more, or stop a post.
bool isDecided(const Verdict& verdict) {
  return verdict.kind != VerdictKind::Pass && verdict.kind != VerdictKind::Protect;
}

int strengthOf(const Verdict& verdict) {
  static const std::vector<std::string> words = {"tls", "pickup", "openpgp", "smime"};
  if (verdict.kind != VerdictKind::Protect) return -1;
  return static_cast<int>(std::find(words.begin(), words.end(), verdict.protection) - words.begin());
}

// Writes down what one policy does, where somebody asked for it.
class StepTimer {
public:
  StepTimer(std::vector<PolicyStep>* steps, const std::string& policy, const std::vector<Verdict>& before,
            const Sandbox& sandbox)
      : steps_(steps), policy_(policy), sandbox_(sandbox), notes_(sandbox.notes().size()) {
    if (steps_ == nullptr) return;
    for (const auto& verdict : before) open_.push_back(!isDecided(verdict));
    start_ = std::chrono::steady_clock::now();
  }

  void finish(const std::vector<Verdict>& after) {
    if (steps_ == nullptr) return;
    const auto time = std::chrono::steady_clock::now() - start_;
    PolicyStep step;
    step.policy = policy_;
    step.micros = static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(time).count());
    for (std::size_t i = 0; i < after.size(); ++i)
      step.verdicts.push_back(open_[i] ? std::optional(after[i]) : std::nullopt);
    for (auto i = notes_; i < sandbox_.notes().size(); ++i) step.notes.push_back(sandbox_.notes()[i]);
    steps_->push_back(std::move(step));
  }

private:
  std::vector<PolicyStep>* steps_;
  const std::string& policy_;
  const Sandbox& sandbox_;
  const std::size_t notes_;
  std::vector<bool> open_;
  std::chrono::steady_clock::time_point start_;
};

// The text of a Lua error as it may go into a log: what the script raised itself may quote mail, so only its place
// stays.
std::string loggable(const Sandbox& sandbox) {
  if (!sandbox.errorWasRaisedByScript()) return sandbox.error().substr(0, MaxDetail);
  const auto place = splitLuaError(sandbox.error());
  const auto where = place.line == 0 ? std::string() : place.file + ":" + std::to_string(place.line) + ": ";
  return where + "the policy called error(); its text may hold mail content and is not shown";
}

}  // namespace

Question sessionQuestion(Hook hook, const TransactionFacts& facts, const UserFacts& user) {
  return {hook, [hook, &facts, &user](lua_State* state, std::size_t) {
            pushTransaction(state, facts);
            if (hook == Hook::Auth) pushUser(state, user);
          }};
}

Question rcptQuestion(const TransactionFacts& facts, const RecipientFacts& recipient) {
  return {Hook::Rcpt, [&](lua_State* state, std::size_t) {
            pushTransaction(state, facts);
            pushRecipient(state, recipient);
          }};
}

Question messageQuestion(const TransactionFacts& facts, const MessageFacts& message) {
  return {Hook::Message,
          [&](lua_State* state, std::size_t) {
            pushTransaction(state, facts);
            pushMessage(state, message);
          },
          &facts.recipients};
}

Question postQuestion(const PostFacts& post) {
  return {Hook::Post,
          [&](lua_State* state, std::size_t) {
            pushPost(state, post);
            pushList(state, post.list);
          },
          nullptr, 1, post.released};
}

Question memberQuestion(const PostFacts& post, const std::vector<MemberFacts>& members) {
  return {Hook::Member,
          [&](lua_State* state, std::size_t call) {
            pushPost(state, post);
            pushMember(state, members[call]);
          },
          nullptr, members.size(), false};
}

Question deliveryQuestion(Hook hook, const DeliveryFacts& facts) {
  return {hook, [&facts](lua_State* state, std::size_t) { pushCopy(state, facts); }};
}

Question routeQuestion(const RouteFacts& facts) {
  return {Hook::Route, [&facts](lua_State* state, std::size_t) {
            lua_pushlstring(state, facts.domain.data(), facts.domain.size());
            pushHops(state, facts.hops);
          }};
}

PolicyRunner::PolicyRunner(const frame::LoadRequest& request, HostPort& host)
    : budget_{request.instructions, request.memory}, host_(host) {
  compileFiles(request);
  for (auto& policy : set_.policies) inspect(policy);
  checkLiterals(request);
  for (const auto& [name, entries] : request.sets) set_.sets.emplace(name, std::make_shared<const SiteSet>(entries));
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
    set_.policies.push_back({name, std::move(found->second), {}, {}, {}});
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
  wake(policy);
  shape.info.asleep = policy.asleep;
  policy.hooks = shape.hooks;
  for (const auto& set : shape.info.sets) policy.sets.push_back(set.name);
  if (shape.info.cases.empty()) report_.warnings.push_back({file, 0, "has no cases: nothing shows that it works"});
  report_.policies.push_back(std::move(shape.info));
}

// Before any mail comes: a policy that cannot say whether it has anything to do is a problem of the set.
void PolicyRunner::wake(CompiledPolicy& policy) {
  Sandbox sandbox(budget_, set_);
  const bool ran = sandbox.run([&](lua_State* state) {
    sandbox.open(state);
    sandbox.enter(policy.name);
    sandbox.pushPolicy(state, policy);
    policy.asleep = !isAwake(state);
  });
  if (!ran) addProblem(policy.name + ".lua", sandbox.error());
}

// What stands in a file can be looked at before any mail comes: patterns, and names of sets. Helpers may be used by any
// policy, so for them a set must be declared by one of all.
void PolicyRunner::checkLiterals(const frame::LoadRequest& request) {
  for (const auto& file : request.files) {
    const auto own = std::find_if(set_.policies.begin(), set_.policies.end(),
                                  [&](const CompiledPolicy& policy) { return policy.name + ".lua" == file.path; });
    const auto declares = [&](const std::string& name) {
      const auto has = [&](const CompiledPolicy& policy) {
        return std::find(policy.sets.begin(), policy.sets.end(), name) != policy.sets.end();
      };
      return own != set_.policies.end() ? has(*own) : std::any_of(set_.policies.begin(), set_.policies.end(), has);
    };
    for (const auto& call : literalCalls(file.text, {"matches", "find_all", "in_set", "words_in"})) {
      const bool ofSet = call.function == "in_set" || call.function == "words_in";
      const auto wrong = ofSet ? std::string() : whatIsWrongWith(call.text);
      if (!wrong.empty()) report_.problems.push_back({file.path, call.line, call.function + "(): " + wrong});
      if (ofSet && !declares(call.text))
        report_.problems.push_back({file.path, call.line,
                                    call.function + "(): the set `" + call.text.substr(0, 40) +
                                        "` is not declared; write sets = { name = \"what it is for\" }"});
    }
  }
}

void PolicyRunner::addProblem(const std::string& file, const std::string& luaError) {
  const auto place = splitLuaError(luaError);
  if (place.line > 0)
    report_.problems.push_back({place.file, place.line, place.text.substr(0, MaxDetail)});
  else
    report_.problems.push_back({file, 0, luaError.substr(0, MaxDetail)});
}

MessageOutcome PolicyRunner::session(Hook hook, const TransactionFacts& facts, const UserFacts& user) const {
  return run(sessionQuestion(hook, facts, user), nullptr, {&host_, &patterns_, nullptr});
}

MessageOutcome PolicyRunner::post(const PostFacts& post) const {
  return run(postQuestion(post), nullptr, {&host_, &patterns_, nullptr});
}

MessageOutcome PolicyRunner::members(const PostFacts& post, const std::vector<MemberFacts>& members) const {
  return run(memberQuestion(post, members), nullptr, {&host_, &patterns_, nullptr});
}

MessageOutcome PolicyRunner::delivery(Hook hook, const DeliveryFacts& facts) const {
  return run(deliveryQuestion(hook, facts), nullptr, {&host_, &patterns_, nullptr});
}

MessageOutcome PolicyRunner::route(const RouteFacts& facts) const {
  return run(routeQuestion(facts), nullptr, {&host_, &patterns_, nullptr});
}

MessageOutcome PolicyRunner::rcpt(const TransactionFacts& facts, const RecipientFacts& recipient) const {
  return run(rcptQuestion(facts, recipient), nullptr, {&host_, &patterns_, nullptr});
}

MessageOutcome PolicyRunner::message(const TransactionFacts& facts, const MessageFacts& message) const {
  return run(messageQuestion(facts, message), nullptr, {&host_, &patterns_, nullptr});
}

MessageOutcome PolicyRunner::explain(Question question, std::vector<PolicyStep>& steps) const {
  question.steps = &steps;
  return run(question, nullptr, {&host_, &patterns_, nullptr});
}

MessageOutcome PolicyRunner::ask(const CompiledPolicy& policy, const Question& question, HostPort& host,
                                 const SetTable& sets) const {
  return run(question, &policy, {&host, &patterns_, &sets});
}

MessageOutcome PolicyRunner::run(const Question& question, const CompiledPolicy* only, const CallWorld& world) const {
  if (!report_.ok) return Unexpected(Failure{FailureKind::NoSet, "", "this worker has no policy set"});
  if (only == nullptr && question.covered == nullptr) {
    if (auto* const kept = keptFor(question.hook); kept != nullptr) {
      kept->startCall(world);
      return runIn(*kept, true, question, only);
    }
  }
  Sandbox sandbox(budget_, set_, world);
  if (question.covered != nullptr) sandbox.traceLines();
  return runIn(sandbox, false, question, only);
}

// Only the hooks themselves stay of each file: its cases, and what made it, are collected before the next one is run.
Sandbox* PolicyRunner::keptFor(Hook hook) const {
  auto& kept = kept_[static_cast<std::size_t>(hook)];
  if (kept.tried) return kept.world ? &kept.world->sandbox : nullptr;
  kept.tried = true;
  auto world = std::make_unique<KeptWorld>(budget_, set_);
  auto& sandbox = world->sandbox;
  bool ok = sandbox.run([&](lua_State* state) { sandbox.open(state); });
  for (std::size_t place = 0; ok && place < set_.policies.size(); ++place) {
    if (!set_.policies[place].hooks.has(hook) || set_.policies[place].asleep) continue;
    ok = sandbox.run([&](lua_State* state) {
      sandbox.enter(set_.policies[place].name);
      sandbox.keepHook(state, place, nameOf(hook));
    });
    lua_gc(sandbox.get(), LUA_GCCOLLECT);
  }
  if (!ok || !sandbox.keep()) return nullptr;
  kept.world = std::move(world);
  return &kept.world->sandbox;
}

MessageOutcome PolicyRunner::runIn(Sandbox& sandbox, bool kept, const Question& question,
                                   const CompiledPolicy* only) const {
  MessageVerdicts verdicts;
  verdicts.recipients.resize(question.recipients ? question.recipients->size() : question.calls);
  const bool ok = sandbox.run([&](lua_State* state) {
    if (!kept) sandbox.open(state);
    askAll(state, question, only, kept, verdicts.recipients);
  });
  if (question.covered != nullptr) *question.covered = sandbox.tracedLines();
  if (!ok) return Unexpected(Failure{sandbox.failure(), sandbox.policy(), loggable(sandbox)});
  verdicts.notes = sandbox.notes();
  return verdicts;
}

void PolicyRunner::askAll(lua_State* state, const Question& question, const CompiledPolicy* only, bool kept,
                          std::vector<Verdict>& answers) const {
  auto& sandbox = Sandbox::of(state);
  for (std::size_t place = 0; place < set_.policies.size(); ++place) {
    const auto& member = set_.policies[place];
    const auto& policy = only ? *only : member;
    if (only ? only->name != member.name : member.asleep) continue;
    if (!policy.hooks.has(question.hook)) continue;
    if (std::all_of(answers.begin(), answers.end(), isDecided)) return;
    sandbox.enter(policy);
    lua_settop(state, 0);
    kept ? sandbox.pushKeptHook(state, place) : sandbox.pushHook(state, policy, nameOf(question.hook));
    StepTimer timer(question.steps, policy.name, answers, sandbox);
    bool more = true;
    for (std::size_t call = 0; call < question.calls; ++call) more = askOne(state, question, call, answers);
    timer.finish(answers);
    if (!more) return;
  }
}

// The hook is at the bottom of the stack. Of the protection that policies ask for, the strongest counts; accept{} for a
// post keeps what was asked before it.
bool PolicyRunner::askOne(lua_State* state, const Question& question, std::size_t call, std::vector<Verdict>& answers) {
  static const std::vector<RecipientFacts> none;
  lua_settop(state, 1);
  lua_pushvalue(state, 1);
  question.push(state, call);
  lua_call(state, lua_gettop(state) - 2, LUA_MULTRET);
  if (question.recipients) {
    applyAnswer(state, 2, question.hook, *question.recipients, answers);
    return true;
  }
  Verdict asked;
  applyAnswer(state, 2, question.hook, none, {&asked, 1});
  auto& answer = answers[call];
  if (asked.kind == VerdictKind::Pass) return true;
  if (asked.kind == VerdictKind::Protect) {
    if (strengthOf(asked) > strengthOf(answer)) answer = std::move(asked);
    return true;
  }
  const bool stops = asked.kind != VerdictKind::Accept;
  if (stops && question.onlyStrengthens) return true;
  if (stops || answer.kind == VerdictKind::Pass) answer = std::move(asked);
  return false;
}

}  // namespace postern::policy::worker
