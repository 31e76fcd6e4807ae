#pragma once
#include "core/policy/Verdict.h"
#include "core/policy/worker/HostPort.h"
#include "core/policy/worker/LuaState.h"
#include "core/policy/worker/Patterns.h"
#include "core/policy/worker/SiteSet.h"
#include "core/policy/worker/WordIndex.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace postern::policy::worker {

// The value of a setting: what settings.lua may hold.
using SettingValue = std::variant<bool, lua_Integer, lua_Number, std::string, std::vector<std::string>>;
using Settings = std::map<std::string, SettingValue>;

// A policy or helper, compiled once from its text by this process (scripts cannot load bytecode).
struct CompiledPolicy {
  std::string name;
  std::string bytecode;
  HookSet hooks;
  Settings overrides;                  // from settings.lua
  std::vector<std::string> sets = {};  // that it declares
  bool asleep = false;                 // called for its cases only
};

// Immutable once loaded.
struct CompiledSet {
  std::vector<CompiledPolicy> policies;        // in the order they run
  std::map<std::string, std::string> modules;  // "lib/tag" → bytecode
  SetTable sets;                               // of the site
};

// What a call may ask beside its arguments. What is null is not there.
struct CallWorld {
  HostPort* host = nullptr;
  Patterns* patterns = nullptr;
  const SetTable* sets = nullptr;  // null: those of the set
};

// A fresh world for one call: sealed libraries, no globals, and the values that the policies make in it.
//
// A script sees only what is listed in Sandbox.cpp; every library table is read-only, each file has its own empty
// environment that refuses assignments (a policy has no globals), and nothing outlives the call.
class Sandbox : public LuaState {
public:
  Sandbox(Budget budget, const CompiledSet& set, CallWorld world = {}, Arena* arena = nullptr)
      : LuaState(budget, arena), set_(set), world_(world) {}
  static Sandbox& of(lua_State* state) { return static_cast<Sandbox&>(LuaState::of(state)); }

  // The functions below run inside LuaState::run and raise Lua errors.

  // Builds the environment. Once, first.
  void open(lua_State* state);
  // Runs a policy's file and pushes the table that it returns, with the site's settings in it.
  void pushPolicy(lua_State* state, const CompiledPolicy& policy);
  // Pushes hooks[name] of a policy, which must be a function.
  void pushHook(lua_State* state, const CompiledPolicy& policy, const char* name);
  // Runs the file of a policy and keeps hooks[name] of it for pushKeptHook, by the policy's place in the set.
  void keepHook(lua_State* state, std::size_t place, const char* name);
  void pushKeptHook(lua_State* state, std::size_t place);
  // Runs a compiled file in a new environment; leaves its single result on the stack.
  void runFile(lua_State* state, const std::string& name, const std::string& bytecode);
  // Runs `lib/NAME` once per call for each policy that wants it, so that none meets what another did to it; pushes its
  // table, read-only.
  void pushModule(lua_State* state, const std::string& name);

  // For the next call: back to what was kept, without anything of the call before.
  void startCall(const CallWorld& world);

  // What the scripts made. Indices stay valid for the life of the sandbox.
  std::uint32_t add(Verdict verdict);
  std::uint32_t add(std::map<std::string, std::uint32_t> perRecipient);
  const Verdict& verdict(std::uint32_t index) const { return verdicts_.at(index); }
  const std::map<std::string, std::uint32_t>& perRecipient(std::uint32_t index) const { return maps_.at(index); }

  void enter(const std::string& policy) { policy_ = policy; }
  void enter(const CompiledPolicy& policy) {
    policy_ = policy.name;
    declared_ = &policy.sets;
  }
  const std::string& policy() const { return policy_; }

  // The functions below throw std::exception where the call has no business with them.

  // Of the message; asked for once.
  const MessageContent& content();
  std::uint64_t count(const std::string& key, std::uint32_t seconds);
  Patterns& patterns();
  // Null: the running policy does not declare it. What it declares and nobody has filled is empty.
  const SiteSet* set(std::string_view name) const;
  // A text cut into words; the last one is kept, since many ask about the same.
  bool hasWords(std::string_view text) const { return words_ && wordsOf_ == text; }
  const WordText& words(std::string_view text);

  void note(std::string key, std::string_view value);
  const std::vector<Note>& notes() const { return notes_; }

private:
  static constexpr std::size_t MaxVerdicts = 20'000;
  static constexpr std::size_t MaxNotes = 64;
  static constexpr std::size_t MaxCounts = 64;

  const CompiledSet& set_;
  CallWorld world_;
  std::string policy_;
  const std::vector<std::string>* declared_ = nullptr;
  std::optional<MessageContent> content_;
  std::size_t counts_ = 0;
  std::optional<WordText> words_;
  std::string wordsOf_;
  std::vector<Verdict> verdicts_;
  std::vector<std::map<std::string, std::uint32_t>> maps_;
  std::vector<Note> notes_;
};

// Compiles a text (never bytecode). Pushes nothing; returns the bytecode or an error text "FILE:LINE: …".
struct Compiled {
  std::string bytecode;
  std::string error;
};
Compiled compile(const std::string& path, const std::string& text, Budget budget);

// Makes the table on top of the stack read-only: replaces it by an empty one that only looks into it.
void seal(lua_State* state, const char* what);

}  // namespace postern::policy::worker
