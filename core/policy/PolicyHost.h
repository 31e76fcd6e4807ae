#pragma once
#include "core/policy/DeliveryFacts.h"
#include "core/policy/PolicySet.h"
#include "core/policy/Verdict.h"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace postern::policy {

struct PolicyHostOptions {
  std::filesystem::path folder;  // config: policyFolder
  std::filesystem::path workerProgram = defaultWorkerProgram();
  std::uint32_t workers = 2;             // config: policyWorkers
  CallLimits limits;                     // limits.timeout: config policyTimeout
  SiteSets sets = {};                    // what the declared sets hold, until useSets() says otherwise
  std::optional<SetTexts> initial = {};  // the set to begin with, instead of that in the folder
  bool trial = false;  // judges nobody's mail: there is no set before use(), and failures are not logged
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

  // Whether a policy of the running set has the hook. Where none has, asking costs nothing. While there is no set, the
  // hooks behind the 250 are said to be there, so that posts and deliveries wait.
  bool asks(Hook hook) const;

  // Hook `post`: Pass, Accept, Reject, Hold or Discard.
  PolicyOutcome post(const PostFacts& facts);
  // Hook `member`: Pass or Protect for each; the strongest of what policies ask.
  MessageOutcome members(const PostFacts& facts, const std::vector<MemberFacts>& members);

  // Hook `attempt`: Pass, Accept, Reject, Defer or Protect. Hook `expire`: Pass, Accept or Defer.
  PolicyOutcome delivery(Hook hook, const DeliveryFacts& facts);

  // Hook `route`: Pass, Accept, Reject, Defer or Route.
  PolicyOutcome route(const RouteFacts& facts);

  // The hooks before RCPT: Connect, Ehlo, Auth (about `user`), Mail. Pass, Accept, Reject or Defer.
  PolicyOutcome session(Hook hook, const TransactionFacts& facts, const UserFacts& user = {});

  // Hook `rcpt`: the verdict on one recipient before it joins facts.recipients. Pass, Accept, Reject or Defer.
  PolicyOutcome rcpt(const TransactionFacts& facts, const RecipientFacts& recipient);

  // Hook `message`: one verdict per recipient of facts, after the content has arrived and before 250.
  MessageOutcome message(const TransactionFacts& facts, const MessageFacts& message);

  // The same questions, and what each policy said; not counted as calls and failures.
  Explanation explainSession(Hook hook, const TransactionFacts& facts, const UserFacts& user = {});
  Explanation explainRcpt(const TransactionFacts& facts, const RecipientFacts& recipient);
  Explanation explainMessage(const TransactionFacts& facts, const MessageFacts& message);

  // Tests a set that was not read from the folder, and puts it in force as reload() does.
  TestReport use(SetTexts texts);
  // The texts of the running set; nothing while there is none.
  std::optional<SetTexts> inForce() const;

  // Reads the folder again, tests the set in a worker of its own and puts it in force for all later calls if
  // everything passes; else the running set stays. The report tells why not.
  TestReport reload();

  // Gives the declared sets their values, for all calls that begin from now on; nothing waits, and nothing is tested
  // again. Sets that no policy declares are kept for policies to come. Nothing: they are in force; else why not.
  std::optional<std::string> useSets(SiteSets sets);

  struct Status {
    bool hasSet = false;
    std::string digest;                     // of the running set
    std::vector<DeclaredSet> declaredSets;  // of the running set, each once, by name
    TestReport lastReload;                  // of the latest attempt, good or not
    std::uint64_t calls = 0;                // sent to a worker
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
