#pragma once
#include "core/policy/DeliveryFacts.h"
#include "core/policy/frame/PolicyFrame.h"
#include "core/policy/worker/Sandbox.h"
#include "core/policy/worker/VerdictValues.h"

#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace postern::policy::worker {

// What a hook is asked. The facts must outlive it.
struct Question {
  Hook hook;
  std::function<void(lua_State*, std::size_t call)> push;   // pushes the arguments of the hook
  const std::vector<RecipientFacts>* recipients = nullptr;  // each gets an answer of the one call; null: one a call
  std::size_t calls = 1;                                    // of the hook: once for each member
  bool onlyStrengthens = false;                             // of a post: what would stop it does not count
  std::vector<PolicyStep>* steps = nullptr;                 // gets what each policy did, where somebody asks
  std::vector<CoveredFile>* covered = nullptr;              // gets the lines that ran
};
Question sessionQuestion(Hook hook, const TransactionFacts& facts, const UserFacts& user);
Question rcptQuestion(const TransactionFacts& facts, const RecipientFacts& recipient);
Question postQuestion(const PostFacts& post);
Question memberQuestion(const PostFacts& post, const std::vector<MemberFacts>& members);
Question deliveryQuestion(Hook hook, const DeliveryFacts& facts);
Question routeQuestion(const RouteFacts& facts);
Question messageQuestion(const TransactionFacts& facts, const MessageFacts& message);

// A loaded policy set and the calls on it. Each call begins in a world that no call before has touched: for each hook
// one with the policies in it is made at its first call, kept, and set back before each further one. A set that does
// not fit into one gets a fresh world for each call. Threads: one. Errors: calls return a Failure for whatever a script
// does; std::bad_alloc may leave them.
class PolicyRunner {
public:
  // Compiles and inspects a set. A set with problems has no policies: every call on it is a Failure.
  // `host` is asked during calls; it must outlive this.
  PolicyRunner(const frame::LoadRequest& request, HostPort& host);

  const CheckReport& report() const { return report_; }

  MessageOutcome session(Hook hook, const TransactionFacts& facts, const UserFacts& user) const;
  MessageOutcome post(const PostFacts& post) const;
  MessageOutcome members(const PostFacts& post, const std::vector<MemberFacts>& members) const;
  MessageOutcome delivery(Hook hook, const DeliveryFacts& facts) const;
  MessageOutcome route(const RouteFacts& facts) const;
  MessageOutcome rcpt(const TransactionFacts& facts, const RecipientFacts& recipient) const;
  MessageOutcome message(const TransactionFacts& facts, const MessageFacts& message) const;
  // `steps` gets what each policy did.
  MessageOutcome explain(Question question, std::vector<PolicyStep>& steps) const;

  // What one hook of one policy answers, for its cases (a copy of a policy of the set, with settings of the case).
  MessageOutcome ask(const CompiledPolicy& policy, const Question& question, HostPort& host,
                     const SetTable& sets) const;

  // REQUIRES: a place in the order of the set.
  const Settings& declaredSettings(std::size_t policy) const { return declared_.at(policy); }
  const CompiledSet& set() const { return set_; }
  Budget budget() const { return budget_; }

private:
  void compileFiles(const frame::LoadRequest& request);
  void readSettings(const std::string& bytecode);
  void inspect(CompiledPolicy& policy);
  void wake(CompiledPolicy& policy);
  void addProblem(const std::string& file, const std::string& luaError);
  void checkLiterals(const frame::LoadRequest& request);
  MessageOutcome run(const Question& question, const CompiledPolicy* only, const CallWorld& world) const;
  MessageOutcome runIn(Sandbox& sandbox, bool kept, const Question& question, const CompiledPolicy* only) const;
  // Null: this hook's world cannot be kept.
  Sandbox* keptFor(Hook hook) const;
  // `kept`: the hooks are in the sandbox already.
  void askAll(lua_State* state, const Question& question, const CompiledPolicy* only, bool kept,
              std::vector<Verdict>& answers) const;
  // Whether the policies behind are asked as well.
  static bool askOne(lua_State* state, const Question& question, std::size_t call, std::vector<Verdict>& answers);

  struct KeptWorld {
    KeptWorld(Budget budget, const CompiledSet& set) : sandbox(budget, set, {}, &arena) {}
    static constexpr std::size_t Region = 3u << 20;
    Arena arena{Region};
    Sandbox sandbox;
  };
  struct KeptHook {
    bool tried = false;
    std::unique_ptr<KeptWorld> world;
  };

  Budget budget_;
  HostPort& host_;
  mutable Patterns patterns_;
  CompiledSet set_;
  CheckReport report_;
  std::vector<Settings> declared_;            // by place in the order
  std::map<std::string, Settings> settings_;  // by policy, from settings.lua
  mutable std::array<KeptHook, static_cast<std::size_t>(LastHook) + 1> kept_;
};

}  // namespace postern::policy::worker
