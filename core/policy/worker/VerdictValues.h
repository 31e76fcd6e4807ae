#pragma once
#include "core/policy/Verdict.h"
#include "core/policy/worker/Sandbox.h"

#include <lua.hpp>
#include <span>
#include <vector>

// Verdicts as Lua values: made only by the constructor functions, opaque and immutable to scripts.
namespace postern::policy::worker {

// Adds accept, reject, defer, discard, hold, redirect, protect, route, pass and verdicts to the table on top of the
// stack.
void addVerdictFunctions(lua_State* state);

// Reads what a hook returned: all values from `first` to the top of the stack. Nothing or nil is Pass; anything else
// than one verdict is a Lua error. Fills in those of `answers` that are still Pass, one per recipient of Message, one
// for all other hooks.
void applyAnswer(lua_State* state, int first, Hook hook, const std::vector<RecipientFacts>& recipients,
                 std::span<Verdict> answers);

}  // namespace postern::policy::worker
