#include "core/policy/PolicyHost.h"

#include "core/base/Error.h"
#include "core/base/Log.h"
#include "core/base/Mutex.h"
#include "core/policy/CallAnswers.h"
#include "core/policy/Counters.h"
#include "core/policy/frame/DeliveryFrame.h"
#include "core/policy/frame/ListFrame.h"
#include "core/policy/frame/PolicyFrame.h"
#include "core/policy/WorkerProcess.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <exception>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace postern::policy {

namespace {

using Clock = std::chrono::steady_clock;

// A call that runs for longer than this counts as stuck: it no longer takes a place from others.
constexpr std::chrono::milliseconds StuckAfter{100};
constexpr std::size_t MaxStuck = 8;

// A set in force. Immutable.
struct ActiveSet {
  SetTexts texts;
  HookSet hooks = {};
  std::vector<DeclaredSet> declared = {};
  SiteSets sets = {};  // those that are declared
};

// Policies that declare the same name share the set; the first one's words describe it.
std::vector<DeclaredSet> declaredBy(const CheckReport& report) {
  std::map<std::string, DeclaredSet> byName;
  for (const auto& policy : report.policies)
    for (const auto& set : policy.sets) byName.emplace(set.name, set);
  std::vector<DeclaredSet> declared;
  for (auto& [name, set] : byName) declared.push_back(std::move(set));
  return declared;
}

SiteSets onlyDeclared(const SiteSets& sets, const std::vector<DeclaredSet>& declared) {
  SiteSets chosen;
  for (const auto& set : declared)
    if (const auto found = sets.find(set.name); found != sets.end()) chosen.insert(*found);
  return chosen;
}

HookSet hooksOf(const CheckReport& report) {
  HookSet hooks;
  for (const auto& policy : report.policies)
    for (auto number = 0; number <= static_cast<int>(LastHook); ++number)
      if (const auto hook = static_cast<Hook>(number);
          !policy.asleep && std::find(policy.hooks.begin(), policy.hooks.end(), nameOf(hook)) != policy.hooks.end())
        hooks.add(hook);
  return hooks;
}

}  // namespace

class PolicyHost::State {
public:
  explicit State(PolicyHostOptions options) : options_(std::move(options)) {
    if (::access(options_.workerProgram.c_str(), X_OK) != 0)
      throw Error(ErrorKind::Config, "the policy worker is missing: " + options_.workerProgram.string() +
                                         "; install it beside the other programs of Postern");
    if (options_.workers == 0) options_.workers = 1;
    if (auto wrong = whatIsWrongWith(options_.sets)) throw Error(ErrorKind::Config, *wrong);
    sets_ = std::move(options_.sets);
  }

  MessageOutcome call(const std::string& request, const std::shared_ptr<const ActiveSet>& set, std::size_t recipients,
                      Hook hook, const WorkerProcess::Answerer& answerer);
  Explanation explain(const std::string& question, std::size_t recipients, Hook hook,
                      const WorkerProcess::Answerer& answerer);
  TestReport reload();
  TestReport use(SetTexts texts);
  std::optional<std::string> useSets(SiteSets sets);
  bool trial() const { return options_.trial; }
  Counters& counters() { return counters_; }
  Status status() const;

  // Nothing while no set could be loaded.
  std::shared_ptr<const ActiveSet> set() const {
    const MutexLock lock(mutex_);
    return set_;
  }

  // Asks about so many things. `encode` makes the question, and is not called where no policy has the hook.
  template <class Encode>
  MessageOutcome judge(Hook hook, std::size_t answers, Encode encode, const MessageFacts* message = nullptr,
                       bool trial = false);

  // Counts and logs; what every failure passes on its way to the caller.
  Failure failed(Hook hook, Failure failure);

private:
  // A place for a worker process. Owned by whoever took it.
  struct Lane {
    std::unique_ptr<WorkerProcess> worker;
    std::shared_ptr<const ActiveSet> loaded;
    Clock::time_point taken;
  };

  // Gives a lane back when the call ends, however it ends.
  class Lease {
  public:
    Lease(State& state, std::unique_ptr<Lane> lane) : state_(state), lane_(std::move(lane)) {}
    ~Lease() { state_.release(std::move(lane_)); }
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    Lane* operator->() const { return lane_.get(); }
    Lane& operator*() const { return *lane_; }

  private:
    State& state_;
    std::unique_ptr<Lane> lane_;
  };

  std::unique_ptr<Lane> acquire();
  void release(std::unique_ptr<Lane> lane);
  std::size_t stuck(Clock::time_point now) const REQUIRES_LOCK(mutex_);
  std::optional<Failure> prepare(Lane& lane, const std::shared_ptr<const ActiveSet>& set);
  MessageOutcome ask(Lane& lane, const std::string& request, std::size_t recipients, Hook hook,
                     const WorkerProcess::Answerer& answerer);
  Result<std::string, Failure> exchange(Lane& lane, const std::string& request,
                                        const WorkerProcess::Answerer& answerer);
  TestReport activate(TestReport report, std::optional<SetTexts> texts, const std::string& origin);

  PolicyHostOptions options_;
  Counters counters_;

  mutable Mutex mutex_;
  Condition freed_;
  std::vector<std::unique_ptr<Lane>> idle_ GUARDED_BY(mutex_);
  std::list<Clock::time_point> running_ GUARDED_BY(mutex_);  // when each taken lane was taken
  std::shared_ptr<const ActiveSet> set_ GUARDED_BY(mutex_);
  SiteSets sets_ GUARDED_BY(mutex_);
  Status status_ GUARDED_BY(mutex_);

  Mutex reloading_;  // one reload at a time; taken before mutex_
};

std::size_t PolicyHost::State::stuck(Clock::time_point now) const {
  const auto count = std::count_if(running_.begin(), running_.end(),
                                   [&](Clock::time_point taken) { return now - taken > StuckAfter; });
  return std::min(static_cast<std::size_t>(count), MaxStuck);
}

// A free lane, or nothing if none became free in time.
std::unique_ptr<PolicyHost::State::Lane> PolicyHost::State::acquire() {
  const auto deadline = Clock::now() + options_.limits.timeout;
  const MutexLock lock(mutex_);
  for (;;) {
    const auto now = Clock::now();
    if (running_.size() < options_.workers + stuck(now)) {
      std::unique_ptr<Lane> lane;
      if (idle_.empty()) {
        lane = std::make_unique<Lane>();
      } else {
        lane = std::move(idle_.back());
        idle_.pop_back();
      }
      lane->taken = now;
      running_.push_back(now);
      return lane;
    }
    if (now >= deadline) return nullptr;
    // Wakes early now and then: a call that has just become stuck frees a place without a notice.
    freed_.wait_until(mutex_, std::min(deadline, now + StuckAfter / 4));
  }
}

void PolicyHost::State::release(std::unique_ptr<Lane> lane) {
  std::unique_ptr<Lane> surplus;  // its worker is killed outside the lock
  {
    const MutexLock lock(mutex_);
    running_.erase(std::find(running_.begin(), running_.end(), lane->taken));
    (idle_.size() < options_.workers ? static_cast<void>(idle_.push_back(std::move(lane)))
                                     : static_cast<void>(surplus = std::move(lane)));
  }
  freed_.notify_one();
}

// Makes sure that the lane has a living worker with this set in it.
std::optional<Failure> PolicyHost::State::prepare(Lane& lane, const std::shared_ptr<const ActiveSet>& set) {
  if (lane.worker && !lane.worker->usable()) lane.worker.reset();
  try {
    if (!lane.worker) {
      lane.loaded.reset();
      lane.worker = std::make_unique<WorkerProcess>(options_.workerProgram);
      const MutexLock lock(mutex_);
      ++status_.workersStarted;
    }
    if (lane.loaded != set) {
      lane.loaded.reset();
      if (!lane.worker->load(set->texts, options_.limits, set->sets).ok)
        return Failure{FailureKind::Worker, "", "a worker refused the policy set that passed its tests"};
      lane.loaded = set;
    }
  } catch (const Error& error) {
    lane.worker.reset();
    return Failure{FailureKind::Worker, "", error.message()};
  }
  return std::nullopt;
}

Result<std::string, Failure> PolicyHost::State::exchange(Lane& lane, const std::string& request,
                                                         const WorkerProcess::Answerer& answerer) {
  auto reply = lane.worker->call(request, options_.limits.timeout, answerer);
  if (!reply && reply.error() == FailureKind::Timeout)
    return Unexpected(
        Failure{FailureKind::Timeout, "",
                "took longer than " + std::to_string(options_.limits.timeout.count()) + " ms; its worker was killed"});
  if (!reply) return Unexpected(Failure{FailureKind::Worker, "", "the worker died, or sent or got too much"});
  return std::move(*reply);
}

MessageOutcome PolicyHost::State::ask(Lane& lane, const std::string& request, std::size_t recipients, Hook hook,
                                      const WorkerProcess::Answerer& answerer) {
  const auto reply = exchange(lane, request, answerer);
  if (!reply) return Unexpected(reply.error());
  try {
    auto outcome = frame::decodeOutcome(*reply, recipients, hook);
    if (frame::wantsToRetire(*reply)) lane.worker.reset();
    return outcome;
  } catch (const Error& error) {
    // It no longer runs our code only: away with it.
    lane.worker.reset();
    return Unexpected(Failure{FailureKind::Worker, "", error.message()});
  }
}

MessageOutcome PolicyHost::State::call(const std::string& request, const std::shared_ptr<const ActiveSet>& set,
                                       std::size_t recipients, Hook hook, const WorkerProcess::Answerer& answerer) {
  auto lane = acquire();
  if (!lane)
    return Unexpected(Failure{FailureKind::Busy, "", "no policy worker became free in time; raise [policy] workers"});
  const Lease lease(*this, std::move(lane));
  if (auto failure = prepare(*lease, set)) return Unexpected(std::move(*failure));
  {
    const MutexLock lock(mutex_);
    ++status_.calls;
  }
  return ask(*lease, request, recipients, hook, answerer);
}

Explanation PolicyHost::State::explain(const std::string& question, std::size_t recipients, Hook hook,
                                       const WorkerProcess::Answerer& answerer) {
  const auto failure = [](Failure why) { return Explanation{Unexpected(std::move(why)), {}}; };
  const auto set = this->set();
  if (!set) return failure({FailureKind::NoSet, "", "no policy set is in force"});
  auto lane = acquire();
  if (!lane) return failure({FailureKind::Busy, "", "no policy worker became free in time"});
  const Lease lease(*this, std::move(lane));
  if (auto why = prepare(*lease, set)) return failure(std::move(*why));
  const auto reply = exchange(*lease, frame::encodeExplain(question), answerer);
  if (!reply) return failure(reply.error());
  try {
    auto explanation = frame::decodeExplained(*reply, recipients, hook);
    if (frame::wantsToRetire(*reply)) lease->worker.reset();
    return explanation;
  } catch (const Error& error) {
    lease->worker.reset();
    return failure({FailureKind::Worker, "", error.message()});
  }
}

// The boundary `Lua call` (style rule 9): whatever breaks here becomes a Failure.
template <class Encode>
MessageOutcome PolicyHost::State::judge(Hook hook, std::size_t answers, Encode encode, const MessageFacts* message,
                                        bool trial) {
  try {
    const auto set = this->set();
    if (!set)
      return Unexpected(failed(hook, {FailureKind::NoSet, "", "no policy set is in force; see `postern policy test`"}));
    if (!set->hooks.has(hook)) return MessageVerdicts{std::vector<Verdict>(answers), {}};
    auto outcome = call(encode(), set, answers, hook, CallAnswers(message, counters_, trial));
    if (!outcome) return Unexpected(failed(hook, std::move(outcome.error())));
    return outcome;
  } catch (const std::exception& error) {
    return Unexpected(failed(hook, {FailureKind::Worker, "", error.what()}));
  }
}

Failure PolicyHost::State::failed(Hook hook, Failure failure) {
  const auto* const text = hook <= Hook::Message  ? "a policy call failed: the sender was told to try again later"
                           : hook <= Hook::Member ? "a policy call failed: the post waits and is tried again"
                                                  : "a policy call failed: the copy waits and is tried again";
  if (!options_.trial)
    log::error("policy", text,
               {{"hook", nameOf(hook)},
                {"kind", wordFor(failure.kind)},
                {"policy", failure.policy},
                {"detail", failure.detail}});
  const MutexLock lock(mutex_);
  ++status_.failures;
  if (failure.kind == FailureKind::Timeout) ++status_.timeouts;
  return failure;
}

TestReport PolicyHost::State::reload() {
  const MutexLock alone(reloading_);
  TestReport report;
  auto texts = readSet(options_.folder);
  if (texts)
    report = testSet(*texts, options_.workerProgram, options_.limits);
  else
    report.check.problems = texts.error();
  return activate(std::move(report), texts ? std::optional(std::move(*texts)) : std::nullopt, options_.folder.string());
}

TestReport PolicyHost::State::use(SetTexts texts) {
  const MutexLock alone(reloading_);
  auto report = testSet(texts, options_.workerProgram, options_.limits);
  return activate(std::move(report), std::move(texts), "store");
}

TestReport PolicyHost::State::activate(TestReport report, std::optional<SetTexts> texts, const std::string& origin) {
  const MutexLock lock(mutex_);
  std::shared_ptr<const ActiveSet> next;
  if (report.ok) {
    auto declared = declaredBy(report.check);
    auto sets = onlyDeclared(sets_, declared);
    next = std::make_shared<const ActiveSet>(
        ActiveSet{std::move(*texts), hooksOf(report.check), std::move(declared), std::move(sets)});
  }
  status_.lastReload = report;
  if (!next && options_.trial) return report;
  if (!next) {
    log::error("policy",
               set_ ? "the new policy set is broken; the running one stays"
                    : "there is no good policy set: all mail is deferred",
               {{"origin", origin},
                {"problems", report.check.problems.size()},
                {"failed-cases", std::count_if(report.cases.begin(), report.cases.end(),
                                               [](const CaseResult& result) { return !result.ok; })}});
    return report;
  }
  set_ = std::move(next);
  status_.hasSet = true;
  status_.digest = set_->texts.digest;
  status_.declaredSets = set_->declared;
  if (!options_.trial)
    log::info("policy", "a policy set is in force",
              {{"policies", report.check.policies.size()}, {"digest", status_.digest}});
  return report;
}

// Workers load the set again when they take their next call; running calls end with what they have.
std::optional<std::string> PolicyHost::State::useSets(SiteSets sets) {
  if (auto wrong = whatIsWrongWith(sets)) return wrong;
  const MutexLock lock(mutex_);
  sets_ = std::move(sets);
  if (!set_) return std::nullopt;
  auto next = *set_;
  next.sets = onlyDeclared(sets_, next.declared);
  if (next.sets != set_->sets) set_ = std::make_shared<const ActiveSet>(std::move(next));
  return std::nullopt;
}

PolicyHost::Status PolicyHost::State::status() const {
  const MutexLock lock(mutex_);
  return status_;
}

PolicyHost::PolicyHost(PolicyHostOptions options) {
  const auto initial = std::exchange(options.initial, std::nullopt);
  state_ = std::make_unique<State>(std::move(options));
  if (initial)
    state_->use(*initial);
  else if (!state_->trial())
    state_->reload();
}

PolicyHost::~PolicyHost() = default;

namespace {

// Of a call about one thing.
PolicyOutcome only(MessageOutcome outcome) {
  if (!outcome) return Unexpected(std::move(outcome.error()));
  return std::move(outcome->recipients.front());
}

}  // namespace

bool PolicyHost::asks(Hook hook) const {
  const auto set = state_->set();
  return set ? set->hooks.has(hook) : hook > Hook::Message;
}

PolicyOutcome PolicyHost::session(Hook hook, const TransactionFacts& facts, const UserFacts& user) {
  return only(state_->judge(
      hook, 1,
      [&] {
        return frame::encode(frame::SessionRequest{hook, facts, user});
      },
      nullptr, facts.trial));
}

PolicyOutcome PolicyHost::post(const PostFacts& facts) {
  return only(state_->judge(Hook::Post, 1, [&] { return frame::encodeList(frame::RequestKind::Post, {facts, {}}); }));
}

MessageOutcome PolicyHost::members(const PostFacts& facts, const std::vector<MemberFacts>& members) {
  return state_->judge(Hook::Member, members.size(), [&] {
    return frame::encodeList(frame::RequestKind::Members, {facts, members});
  });
}

PolicyOutcome PolicyHost::delivery(Hook hook, const DeliveryFacts& facts) {
  return only(state_->judge(hook, 1, [&] { return frame::encodeDelivery({hook, facts}); }));
}

PolicyOutcome PolicyHost::route(const RouteFacts& facts) {
  return only(state_->judge(Hook::Route, 1, [&] { return frame::encodeRoute(facts); }));
}

PolicyOutcome PolicyHost::rcpt(const TransactionFacts& facts, const RecipientFacts& recipient) {
  return only(state_->judge(
      Hook::Rcpt, 1, [&] { return frame::encodeRcpt(facts, recipient); }, nullptr, facts.trial));
}

MessageOutcome PolicyHost::message(const TransactionFacts& facts, const MessageFacts& message) {
  return state_->judge(
      Hook::Message, facts.recipients.size(), [&] { return frame::encodeMessage(facts, message); }, &message,
      facts.trial);
}

namespace {

// The explanation of a call that broke is a failure as well.
template <class Fn>
Explanation explained(Fn fn) {
  try {
    return fn();
  } catch (const std::exception& error) {
    return {Unexpected(Failure{FailureKind::Worker, "", error.what()}), {}};
  }
}

}  // namespace

Explanation PolicyHost::explainSession(Hook hook, const TransactionFacts& facts, const UserFacts& user) {
  const CallAnswers answers(nullptr, state_->counters(), true);
  return explained([&] {
    return state_->explain(frame::encode(frame::SessionRequest{hook, facts, user}), 1, hook, answers);
  });
}

Explanation PolicyHost::explainRcpt(const TransactionFacts& facts, const RecipientFacts& recipient) {
  const CallAnswers answers(nullptr, state_->counters(), true);
  return explained([&] { return state_->explain(frame::encodeRcpt(facts, recipient), 1, Hook::Rcpt, answers); });
}

Explanation PolicyHost::explainMessage(const TransactionFacts& facts, const MessageFacts& message) {
  const CallAnswers answers(&message, state_->counters(), true);
  return explained([&] {
    return state_->explain(frame::encodeMessage(facts, message), facts.recipients.size(), Hook::Message, answers);
  });
}

TestReport PolicyHost::use(SetTexts texts) {
  return state_->use(std::move(texts));
}

std::optional<SetTexts> PolicyHost::inForce() const {
  const auto set = state_->set();
  return set ? std::optional(set->texts) : std::nullopt;
}

TestReport PolicyHost::reload() {
  return state_->reload();
}

std::optional<std::string> PolicyHost::useSets(SiteSets sets) {
  return state_->useSets(std::move(sets));
}

PolicyHost::Status PolicyHost::status() const {
  return state_->status();
}

}  // namespace postern::policy
