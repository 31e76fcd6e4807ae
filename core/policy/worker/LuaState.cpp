#include "core/policy/worker/LuaState.h"

#include <cstdlib>
#include <new>

namespace postern::policy::worker {

LuaState::LuaState(Budget budget, Arena* arena) : budget_(budget), arena_(arena) {
  state_ = lua_newstate(&LuaState::allocate, this);
  if (!state_) throw std::bad_alloc();
  *static_cast<LuaState**>(lua_getextraspace(state_)) = this;
  // One call is too short to be worth a collection; a script that makes garbage still gets one at the memory cap.
  lua_gc(state_, LUA_GCINC, 400, 0, 0);
  lua_sethook(state_, &LuaState::countHook, LUA_MASKCOUNT, HookStep);
}

LuaState::~LuaState() {
  // There are no finalizers: what lies in an arena goes with it.
  if (arena_ == nullptr) lua_close(state_);
}

bool LuaState::keep() {
  lua_gc(state_, LUA_GCCOLLECT);
  keptMemory_ = memory_;
  return arena_ != nullptr && !outOfInstructions_ && !deniedMemory_ && arena_->keep();
}

void LuaState::goBack() {
  arena_->goBack();
  memory_ = keptMemory_;
  instructions_ = 0;
  outOfInstructions_ = deniedMemory_ = errorRaised_ = false;
  failure_ = FailureKind::Script;
  error_.clear();
  raised_.clear();
}

void* LuaState::allocate(void* self, void* block, std::size_t oldSize, std::size_t newSize) {
  auto& owner = *static_cast<LuaState*>(self);
  if (!block) oldSize = 0;  // then it is the type of the new object
  if (newSize == 0) {
    owner.arena_ ? owner.arena_->giveBack(block, oldSize) : std::free(block);
    owner.memory_ -= oldSize;
    return nullptr;
  }
  if (newSize > oldSize && owner.memory_ - oldSize + newSize > owner.budget_.memory) {
    owner.deniedMemory_ = true;
    return nullptr;
  }
  void* const moved = !owner.arena_ ? std::realloc(block, newSize)
                      : block       ? owner.arena_->resize(block, oldSize, newSize)
                                    : owner.arena_->take(newSize);
  if (moved)
    owner.memory_ += newSize - oldSize;
  else
    owner.deniedMemory_ = true;
  return moved;
}

// Over the limit the hook runs after every single instruction, so that no handler, no <close> variable and no loop
// around pcall gets any further.
void LuaState::countHook(lua_State* state, lua_Debug* activation) {
  auto& owner = of(state);
  if (activation->event == LUA_HOOKLINE) return owner.noteLine(state, activation);
  owner.instructions_ += HookStep;
  if (!owner.outOfInstructions_ && owner.instructions_ < owner.budget_.instructions) return;
  owner.outOfInstructions_ = true;
  lua_sethook(state, &LuaState::countHook, LUA_MASKCOUNT, 1);
  luaL_error(state, "the instructions of this call are used up");
}

void LuaState::traceLines() {
  lua_sethook(state_, &LuaState::countHook, LUA_MASKCOUNT | LUA_MASKLINE, HookStep);
}

// No exception may leave a hook; without memory a line is not noted.
void LuaState::noteLine(lua_State* state, lua_Debug* activation) {
  if (activation->currentline <= 0 || activation->currentline > MaxLine) return;
  lua_getinfo(state, "S", activation);
  if (activation->source[0] != '@') return;
  const auto line = static_cast<std::size_t>(activation->currentline);
  try {
    auto& file = traced_[activation->source];
    if (file.name.empty()) file.name = activation->source + 1;
    if (file.lines.size() <= line) file.lines.resize(line + 1);
    file.lines[line] = true;
  } catch (const std::bad_alloc&) {
    return;
  }
}

std::vector<CoveredFile> LuaState::tracedLines() const {
  std::vector<CoveredFile> files;
  for (const auto& [source, traced] : traced_) {
    CoveredFile file{traced.name, {}};
    for (std::size_t line = 0; line < traced.lines.size(); ++line)
      if (traced.lines[line]) file.lines.push_back(static_cast<std::uint32_t>(line));
    files.push_back(std::move(file));
  }
  return files;
}

void LuaState::charge(std::uint64_t instructions) {
  instructions_ += instructions;
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
