#pragma once
#include "core/policy/PolicySet.h"
#include "core/policy/Verdict.h"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

namespace postern::policy {

struct PolicyHostOptions {
  std::filesystem::path folder;  // config: policyFolder
  std::filesystem::path workerProgram = defaultWorkerProgram();
  std::uint32_t workers = 2;  // config: policyWorkers
  CallLimits limits;          // limits.timeout: config policyTimeout
};

// Asks the policies of a site, in killable worker processes, and can only fail closed.
//
// The policies run in the order of the set; for each recipient the first verdict other than Pass wins, the rest of the
// policies is not asked about it. A Failure concerns the whole call: answer 451 4.7.0.
//
// Invariants
// 1. No Lua runs in this process. A call that takes longer than limits.timeout is answered with a Failure and its
//    worker is killed and replaced; a call waits at most limits.timeout for a free worker.
// 2. A set runs only if it loads and all its cases pass. While there is none, every call is a Failure(NoSet).
// 3. Workers that are stuck do not take places from other callers: up to 8 more are started beside `workers`.
//
// Threads: safe for all; rcpt() and message() block their caller.
// Errors: the constructor throws Error(Config) if the worker program is missing; a broken set does not throw (the
// gateway must go on delivering what it has), see status(). rcpt() and message() do not throw.
class PolicyHost {
public:
  explicit PolicyHost(PolicyHostOptions options);
  ~PolicyHost();
  PolicyHost(const PolicyHost&) = delete;
  PolicyHost& operator=(const PolicyHost&) = delete;

  // Hook `rcpt`: the verdict on one recipient before it joins facts.recipients. Pass, Accept, Reject or Defer.
  PolicyOutcome rcpt(const TransactionFacts& facts, const RecipientFacts& recipient);

  // Hook `message`: one verdict per recipient of facts, after the content has arrived and before 250.
  MessageOutcome message(const TransactionFacts& facts, const MessageFacts& message);

  // Reads the folder again, tests the set in a worker of its own and puts it in force for all later calls if
  // everything passes; else the running set stays. The report tells why not.
  TestReport reload();

  struct Status {
    bool hasSet = false;
    std::string digest;       // of the running set
    TestReport lastReload;    // of the latest attempt, good or not
    std::uint64_t calls = 0;  // sent to a worker
    std::uint64_t failures = 0;
    std::uint64_t timeouts = 0;  // part of failures
    std::uint64_t workersStarted = 0;
  };
  Status status() const;

private:
  class State;
  std::unique_ptr<State> state_;
};

}  // namespace postern::policy
