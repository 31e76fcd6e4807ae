#pragma once
#include "core/base/Clock.h"
#include "core/base/Mutex.h"
#include "core/policy/PolicyHost.h"
#include "gateway/inspect/TransactionInspector.h"
#include "gateway/policy/Differences.h"

#include <atomic>
#include <deque>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <thread>

namespace postern::gateway {

// Answers as the policies in force do, and has another set judge the same mail behind them.
//
// Invariants
// 1. What rcpt() and message() return is the answer of `live`, always.
// 2. A caller never waits for the other set: the question is queued, and dropped (and counted) where the queue is full.
// 3. The other set runs in workers of its own; what it fails at is neither logged nor counted as a failure of policy.
//
// Ownership: what the constructor gets must outlive it. Threads: safe for all.
class Shadow : public Policies {
public:
  Shadow(Policies& live, const Clock& clock);
  ~Shadow() override;

  // Also where the shadow alone has the hook: then the answer is Pass, as it is without asking.
  bool asks(policy::Hook hook) const override;
  policy::PolicyOutcome session(policy::Hook hook, const policy::TransactionFacts& facts,
                                const policy::UserFacts& user) override;
  policy::PolicyOutcome rcpt(const policy::TransactionFacts& facts, const policy::RecipientFacts& recipient) override;
  policy::MessageOutcome message(const policy::TransactionFacts& facts, const policy::MessageFacts& message) override;

  // In place of a shadow that runs. REQUIRES: `host` has a set. `now`: the texts of the set in force.
  void start(std::shared_ptr<policy::PolicyHost> host, policy::SetTexts now, TimePoint until);
  void stop();
  void useSets(const policy::SiteSets& sets);
  // {running digest since until dropped waiting compared different failed kinds[]}; stays after stop().
  nlohmann::json report() const;

private:
  // A question, and what the set in force said. Mail in it lives in the queue only, and is parsed behind it.
  struct Sample {
    policy::Hook hook = policy::Hook::Message;
    policy::TransactionFacts facts;
    policy::UserFacts user;
    policy::RecipientFacts recipient;
    policy::MessageFacts message;
    policy::MessageOutcome now = policy::MessageVerdicts{};
    std::string whole = {};
    std::size_t bytes = 0;
  };
  static constexpr std::size_t MaxWaiting = 256;
  static constexpr std::size_t MaxBytes = 64u << 20;

  void offer(Sample sample);
  void run(const std::stop_token& stop);
  std::optional<Sample> next(const std::stop_token& stop);
  void judge(const Sample& sample);
  static policy::MessageOutcome ask(policy::PolicyHost& host, const Sample& sample);

  Policies& live_;
  const Clock& clock_;
  std::atomic<bool> running_ = false;
  mutable Mutex mutex_;
  Condition changed_;
  std::shared_ptr<policy::PolicyHost> host_ GUARDED_BY(mutex_);
  std::string digest_ GUARDED_BY(mutex_);
  TimePoint since_ GUARDED_BY(mutex_);
  TimePoint until_ GUARDED_BY(mutex_);
  std::deque<Sample> waiting_ GUARDED_BY(mutex_);
  std::size_t waitingBytes_ GUARDED_BY(mutex_) = 0;
  std::uint64_t dropped_ GUARDED_BY(mutex_) = 0;
  Differences differences_ GUARDED_BY(mutex_);
  std::jthread thread_;  // last: it uses all of the above
};

}  // namespace postern::gateway
