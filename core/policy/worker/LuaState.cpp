#include "core/policy/worker/LuaState.h"

#include <cstdlib>
#include <new>

namespace postern::policy::worker {

LuaState::LuaState(Budget budget) : budget_(budget) {
  state_ = lua_newstate(&LuaState::allocate, this);
  if (!state_) throw std::bad_alloc();
  *static_cast<LuaState**>(lua_getextraspace(state_)) = this;
  // One call is too short to be worth a collection; a script that makes garbage still gets one at the memory cap.
  lua_gc(state_, LUA_GCINC, 400, 0, 0);
  lua_sethook(state_, &LuaState::countHook, LUA_MASKCOUNT, HookStep);
}

LuaState::~LuaState() {
  lua_close(state_);
}

void* LuaState::allocate(void* self, void* block, std::size_t oldSize, std::size_t newSize) {
  auto& owner = *static_cast<LuaState*>(self);
  if (!block) oldSize = 0;  // then it is the type of the new object
  if (newSize == 0) {
    std::free(block);
    owner.memory_ -= oldSize;
    return nullptr;
  }
  if (newSize > oldSize && owner.memory_ - oldSize + newSize > owner.budget_.memory) {
    owner.deniedMemory_ = true;
    return nullptr;
  }
  void* const moved = std::realloc(block, newSize);
  if (moved)
    owner.memory_ += newSize - oldSize;
  else
    owner.deniedMemory_ = true;
  return moved;
}

// Over the limit the hook runs after every single instruction, so that no handler, no <close> variable and no loop
// around pcall gets any further.
void LuaState::countHook(lua_State* state, lua_Debug*) {
  auto& owner = of(state);
  owner.instructions_ += HookStep;
  if (!owner.outOfInstructions_ && owner.instructions_ < owner.budget_.instructions) return;
  owner.outOfInstructions_ = true;
  lua_sethook(state, &LuaState::countHook, LUA_MASKCOUNT, 1);
  luaL_error(state, "the instructions of this call are used up");
}

void LuaState::chargeCaughtError() {
  instructions_ += HookStep;
  if (instructions_ < budget_.instructions) return;
  outOfInstructions_ = true;
  lua_sethook(state_, &LuaState::countHook, LUA_MASKCOUNT, 1);
}

bool LuaState::finish(int status) {
  if (status == LUA_OK && !outOfInstructions_) return true;
  if (outOfInstructions_) {
    failure_ = FailureKind::Instructions;
    error_ = "used more than " + std::to_string(budget_.instructions) + " instructions";
  } else if (deniedMemory_ || status == LUA_ERRMEM) {
    failure_ = FailureKind::Memory;
    error_ = "used more than " + std::to_string(budget_.memory) + " bytes of memory";
  } else {
    failure_ = FailureKind::Script;
    const int type = lua_type(state_, -1);
    if (type == LUA_TSTRING)
      error_ = lua_tostring(state_, -1);
    else
      error_ = std::string("the error is a ") + lua_typename(state_, type) + " value";
    errorRaised_ = !raised_.empty() && error_ == raised_;
  }
  lua_settop(state_, 0);
  return false;
}

}  // namespace postern::policy::worker
