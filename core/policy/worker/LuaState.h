#pragma once
#include "core/policy/PolicySet.h"
#include "core/policy/Verdict.h"
#include "core/policy/worker/Arena.h"

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <lua.hpp>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace postern::policy::worker {

struct Budget {
  std::uint64_t instructions = 0;
  std::uint64_t memory = 0;  // bytes
};

// One Lua machine with a cap on its memory and its instructions, used for one call and thrown away; or, in an Arena,
// set back after each call to what it was when it was kept. The limits cannot be swallowed by a script: once one is
// hit, every further instruction and every pcall fails again. Work inside C functions (pattern matching, sort) is not
// counted; the host's wall clock ends that.
//
// Lua is the C++ build: its errors are throws of a type of its own, so destructors run. Two rules follow:
// 1. Never `catch (...)` around a call into Lua.
// 2. A C++ exception must not cross Lua's pcall (it would be swallowed): every function that Lua calls goes through
//    `guarded`, which turns std::exception into a Lua error.
//
// Threads: one. Errors: std::bad_alloc if there is no memory for a new state.
class LuaState {
public:
  // The arena, if there is one, must outlive this and serve nobody else.
  explicit LuaState(Budget budget, Arena* arena = nullptr);
  ~LuaState();
  LuaState(const LuaState&) = delete;
  LuaState& operator=(const LuaState&) = delete;

  lua_State* get() const { return state_; }
  static LuaState& of(lua_State* state) { return **static_cast<LuaState**>(lua_getextraspace(state)); }

  // Runs `fn(lua_State*)` so that a Lua error ends it. False: the error text is in error() and kind in failure().
  template <class Fn>
  bool run(Fn fn) {
    lua_pushcfunction(state_, &trampoline<Fn>);
    lua_pushlightuserdata(state_, &fn);
    return finish(lua_pcall(state_, 1, 0, 0));
  }

  // Keeps the machine as it is; false if it cannot be kept. Once, between two runs.
  [[nodiscard]] bool keep();
  // Back to what keep() saw, with the whole budget of instructions. REQUIRES: keep() was true; no run is under way.
  void goBack();

  // A limit was hit; pcall must not go on. `status` is that of the lua_pcall that just failed.
  bool mustStop(int status) const { return outOfInstructions_ || deniedMemory_ || status == LUA_ERRMEM; }

  // An error that was caught costs as much as many instructions: it is a C++ throw, and the count does not see it.
  void chargeCaughtError() { charge(HookStep); }
  // Work of a C function that counts as that many instructions; the call ends with the next one if that is too many.
  void charge(std::uint64_t instructions);

  // What a script itself raised may hold the content of the message; noted, so that it stays out of logs.
  void noteRaised(std::string text) { raised_ = std::move(text); }

  // Notes which lines run from now on, by the name of their file. For cases: it costs as much as the script itself.
  void traceLines();
  std::vector<CoveredFile> tracedLines() const;

  FailureKind failure() const { return failure_; }
  const std::string& error() const { return error_; }
  bool errorWasRaisedByScript() const { return errorRaised_; }

private:
  template <class Fn>
  static int trampoline(lua_State* state);
  static void* allocate(void* self, void* block, std::size_t oldSize, std::size_t newSize);
  static void countHook(lua_State* state, lua_Debug* activation);
  bool finish(int status);

  void noteLine(lua_State* state, lua_Debug* activation);

  static constexpr int HookStep = 1000;
  static constexpr int MaxLine = 100'000;

  struct TracedFile {
    std::string name;
    std::vector<bool> lines;
  };

  lua_State* state_ = nullptr;
  Budget budget_;
  Arena* arena_ = nullptr;
  std::uint64_t memory_ = 0;
  std::uint64_t keptMemory_ = 0;
  std::uint64_t instructions_ = 0;
  bool outOfInstructions_ = false;
  bool deniedMemory_ = false;
  bool errorRaised_ = false;
  FailureKind failure_ = FailureKind::Script;
  std::string error_;
  std::string raised_;
  std::map<const char*, TracedFile> traced_;  // by the machine's own text of the name, one for each file
};

// Runs the body of a function that Lua calls. Lua's own throws pass; a std::exception becomes a Lua error.
template <class Fn>
int guarded(lua_State* state, Fn fn) {
  char text[200];
  try {
    return fn();
  } catch (const std::exception& error) {
    std::snprintf(text, sizeof text, "%s", error.what());
  }
  return luaL_error(state, "%s", text);
}

template <class Fn>
int LuaState::trampoline(lua_State* state) {
  auto& fn = *static_cast<Fn*>(lua_touserdata(state, 1));
  lua_settop(state, 0);
  return guarded(state, [&] {
    fn(state);
    return 0;
  });
}

}  // namespace postern::policy::worker
