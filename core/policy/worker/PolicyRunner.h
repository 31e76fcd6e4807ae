#pragma once
#include "core/policy/frame/PolicyFrame.h"
#include "core/policy/worker/Sandbox.h"
#include "core/policy/worker/VerdictValues.h"

#include <optional>
#include <string>
#include <vector>

namespace postern::policy::worker {

// A loaded policy set and the calls on it. Each call runs in a Sandbox of its own.
// Threads: one. Errors: calls return a Failure for whatever a script does; std::bad_alloc may leave them.
class PolicyRunner {
public:
  // Compiles and inspects a set. A set with problems has no policies: every call on it is a Failure.
  explicit PolicyRunner(const frame::LoadRequest& request);

  const CheckReport& report() const { return report_; }

  MessageOutcome rcpt(const TransactionFacts& facts, const RecipientFacts& recipient) const;
  MessageOutcome message(const TransactionFacts& facts, const MessageFacts& message) const;

  // What one hook of one policy answers, for its cases (a copy of a policy of the set, with settings of the case).
  MessageOutcome ask(const CompiledPolicy& policy, Hook hook, const TransactionFacts& facts,
                     const RecipientFacts* recipient, const MessageFacts* message) const;

  // REQUIRES: a place in the order of the set.
  const Settings& declaredSettings(std::size_t policy) const { return declared_.at(policy); }
  const CompiledSet& set() const { return set_; }
  Budget budget() const { return budget_; }

private:
  // What a hook is asked about.
  struct Question {
    Hook hook;
    const TransactionFacts& facts;
    const RecipientFacts* recipient;  // Hook::Rcpt
    const MessageFacts* message;      // Hook::Message
  };

  void compileFiles(const frame::LoadRequest& request);
  void readSettings(const std::string& bytecode);
  void inspect(CompiledPolicy& policy);
  void addProblem(const std::string& file, const std::string& luaError);
  MessageOutcome run(const Question& question, const CompiledPolicy* only) const;
  void askAll(lua_State* state, const Question& question, const CompiledPolicy* only,
              std::vector<Verdict>& answers) const;

  Budget budget_;
  CompiledSet set_;
  CheckReport report_;
  std::vector<Settings> declared_;            // by place in the order
  std::map<std::string, Settings> settings_;  // by policy, from settings.lua
};

}  // namespace postern::policy::worker
