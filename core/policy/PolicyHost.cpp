#include "core/policy/PolicyHost.h"

#include "core/base/Error.h"
#include "core/base/Log.h"
#include "core/base/Mutex.h"
#include "core/policy/frame/PolicyFrame.h"
#include "core/policy/WorkerProcess.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <exception>
#include <list>
#include <memory>
#include <optional>
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
  bool hasRcpt = false;
};

bool anyHasHook(const CheckReport& report, const std::string& hook) {
  return std::any_of(report.policies.begin(), report.policies.end(), [&](const PolicyInfo& info) {
    return std::find(info.hooks.begin(), info.hooks.end(), hook) != info.hooks.end();
  });
}

}  // namespace

class PolicyHost::State {
public:
  explicit State(PolicyHostOptions options) : options_(std::move(options)) {
    if (::access(options_.workerProgram.c_str(), X_OK) != 0)
      throw Error(ErrorKind::Config, "the policy worker is missing: " + options_.workerProgram.string() +
                                         "; install it beside the other programs of Postern");
    if (options_.workers == 0) options_.workers = 1;
  }

  MessageOutcome call(const std::string& request, const std::shared_ptr<const ActiveSet>& set, std::size_t recipients,
                      bool beforeContent);
  TestReport reload();
  Status status() const;

  // Nothing while no set could be loaded.
  std::shared_ptr<const ActiveSet> set() const {
    const MutexLock lock(mutex_);
    return set_;
  }

  // Counts and logs; what every failure passes on its way to the caller.
  Failure failed(Failure failure);

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
  MessageOutcome ask(Lane& lane, const std::string& request, std::size_t recipients, bool beforeContent);

  PolicyHostOptions options_;

  mutable Mutex mutex_;
  Condition freed_;
  std::vector<std::unique_ptr<Lane>> idle_ GUARDED_BY(mutex_);
  std::list<Clock::time_point> running_ GUARDED_BY(mutex_);  // when each taken lane was taken
  std::shared_ptr<const ActiveSet> set_ GUARDED_BY(mutex_);
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
      if (!lane.worker->load(set->texts, options_.limits).ok)
        return Failure{FailureKind::Worker, "", "a worker refused the policy set that passed its tests"};
      lane.loaded = set;
    }
  } catch (const Error& error) {
    lane.worker.reset();
    return Failure{FailureKind::Worker, "", error.message()};
  }
  return std::nullopt;
}

MessageOutcome PolicyHost::State::ask(Lane& lane, const std::string& request, std::size_t recipients,
                                      bool beforeContent) {
  const auto reply = lane.worker->call(request, options_.limits.timeout);
  if (!reply && reply.error() == FailureKind::Timeout)
    return Unexpected(
        Failure{FailureKind::Timeout, "",
                "took longer than " + std::to_string(options_.limits.timeout.count()) + " ms; its worker was killed"});
  if (!reply) return Unexpected(Failure{FailureKind::Worker, "", "the worker died, or sent or got too much"});
  try {
    auto outcome = frame::decodeOutcome(*reply, recipients, beforeContent);
    if (frame::wantsToRetire(*reply)) lane.worker.reset();
    return outcome;
  } catch (const Error& error) {
    // It no longer runs our code only: away with it.
    lane.worker.reset();
    return Unexpected(Failure{FailureKind::Worker, "", error.message()});
  }
}

MessageOutcome PolicyHost::State::call(const std::string& request, const std::shared_ptr<const ActiveSet>& set,
                                       std::size_t recipients, bool beforeContent) {
  auto lane = acquire();
  if (!lane)
    return Unexpected(Failure{FailureKind::Busy, "", "no policy worker became free in time; raise [policy] workers"});
  const Lease lease(*this, std::move(lane));
  if (auto failure = prepare(*lease, set)) return Unexpected(std::move(*failure));
  {
    const MutexLock lock(mutex_);
    ++status_.calls;
  }
  return ask(*lease, request, recipients, beforeContent);
}

Failure PolicyHost::State::failed(Failure failure) {
  log::error("policy", "a policy call failed: the sender was told to try again later",
             {{"kind", wordFor(failure.kind)}, {"policy", failure.policy}, {"detail", failure.detail}});
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
  std::shared_ptr<const ActiveSet> next;
  if (report.ok)
    next = std::make_shared<const ActiveSet>(ActiveSet{std::move(*texts), anyHasHook(report.check, "rcpt")});
  const MutexLock lock(mutex_);
  status_.lastReload = report;
  if (!next) {
    log::error("policy",
               set_ ? "the new policy set is broken; the running one stays"
                    : "there is no good policy set: all mail is deferred",
               {{"folder", options_.folder.string()},
                {"problems", report.check.problems.size()},
                {"failed-cases", std::count_if(report.cases.begin(), report.cases.end(),
                                               [](const CaseResult& result) { return !result.ok; })}});
    return report;
  }
  set_ = std::move(next);
  status_.hasSet = true;
  status_.digest = set_->texts.digest;
  log::info("policy", "a policy set is in force",
            {{"policies", report.check.policies.size()}, {"digest", status_.digest}});
  return report;
}

PolicyHost::Status PolicyHost::State::status() const {
  const MutexLock lock(mutex_);
  return status_;
}

PolicyHost::PolicyHost(PolicyHostOptions options) : state_(std::make_unique<State>(std::move(options))) {
  state_->reload();
}

PolicyHost::~PolicyHost() = default;

namespace {

Failure withoutSet() {
  return {FailureKind::NoSet, "", "no policy set is in force; see `postern policy test`"};
}

}  // namespace

// The boundary `Lua call` (style rule 9): whatever breaks here becomes a Failure.
PolicyOutcome PolicyHost::rcpt(const TransactionFacts& facts, const RecipientFacts& recipient) {
  try {
    const auto set = state_->set();
    if (!set) return Unexpected(state_->failed(withoutSet()));
    if (!set->hasRcpt) return Verdict{};
    auto outcome = state_->call(frame::encodeRcpt(facts, recipient), set, 1, true);
    if (!outcome) return Unexpected(state_->failed(std::move(outcome.error())));
    return outcome->recipients.front();
  } catch (const std::exception& error) {
    return Unexpected(state_->failed({FailureKind::Worker, "", error.what()}));
  }
}

MessageOutcome PolicyHost::message(const TransactionFacts& facts, const MessageFacts& message) {
  try {
    const auto set = state_->set();
    if (!set) return Unexpected(state_->failed(withoutSet()));
    auto outcome = state_->call(frame::encodeMessage(facts, message), set, facts.recipients.size(), false);
    if (!outcome) return Unexpected(state_->failed(std::move(outcome.error())));
    return outcome;
  } catch (const std::exception& error) {
    return Unexpected(state_->failed({FailureKind::Worker, "", error.what()}));
  }
}

TestReport PolicyHost::reload() {
  return state_->reload();
}

PolicyHost::Status PolicyHost::status() const {
  return state_->status();
}

}  // namespace postern::policy
