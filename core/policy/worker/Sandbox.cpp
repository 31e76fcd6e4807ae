#include "core/policy/worker/Sandbox.h"

#include "core/policy/frame/PolicyFrame.h"
#include "core/policy/worker/TextFunctions.h"
#include "core/policy/worker/VerdictValues.h"
#include "core/policy/worker/Wildcard.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <stdexcept>

namespace postern::policy::worker {

namespace {

// Keys of the registry.
const char EnvironmentKey = 0;
const char ModulesKey = 0;
const char HooksKey = 0;

// ---- our versions of base functions ----------------------------------------------------------------------------

// error(): as in Lua, but its text is noted as possibly made of mail content.
int raise(lua_State* state) {
  const auto level = luaL_optinteger(state, 2, 1);
  lua_settop(state, 1);
  if (lua_type(state, 1) == LUA_TSTRING && level > 0) {
    luaL_where(state, static_cast<int>(level));
    lua_pushvalue(state, 1);
    lua_concat(state, 2);
  }
  if (lua_type(state, -1) == LUA_TSTRING)
    guarded(state, [&] {
      LuaState::of(state).noteRaised(lua_tostring(state, -1));
      return 0;
    });
  return lua_error(state);
}

int assertTrue(lua_State* state) {
  luaL_checkany(state, 1);
  if (lua_toboolean(state, 1)) return lua_gettop(state);
  if (lua_isnoneornil(state, 2)) return luaL_error(state, "assertion failed");
  lua_settop(state, 2);
  lua_remove(state, 1);
  return raise(state);
}

// pcall(): as in Lua, but a limit that was hit goes on up.
int protectedCall(lua_State* state) {
  luaL_checkany(state, 1);
  lua_pushboolean(state, 1);
  lua_insert(state, 1);
  const int status = lua_pcall(state, lua_gettop(state) - 2, LUA_MULTRET, 0);
  if (status == LUA_OK) return lua_gettop(state);
  auto& owner = LuaState::of(state);
  owner.chargeCaughtError();
  if (owner.mustStop(status)) return lua_error(state);
  lua_pushboolean(state, 0);
  lua_insert(state, -2);
  return 2;
}

// setmetatable(): as in Lua, but no finalizers: they run where neither hook nor limit reaches.
int setMetatable(lua_State* state) {
  luaL_checktype(state, 1, LUA_TTABLE);
  const int type = lua_type(state, 2);
  luaL_argexpected(state, type == LUA_TNIL || type == LUA_TTABLE, 2, "nil or table");
  if (luaL_getmetafield(state, 1, "__metatable") != LUA_TNIL) return luaL_error(state, "this metatable is protected");
  if (type == LUA_TTABLE) {
    lua_pushliteral(state, "__gc");
    lua_rawget(state, 2);
    if (!lua_isnil(state, -1)) return luaL_error(state, "__gc is not available to policies");
    lua_pop(state, 1);
  }
  lua_settop(state, 2);
  lua_setmetatable(state, 1);
  return 1;
}

int getMetatable(lua_State* state) {
  luaL_checkany(state, 1);
  if (!lua_getmetatable(state, 1)) {
    lua_pushnil(state);
    return 1;
  }
  luaL_getmetafield(state, 1, "__metatable");
  return 1;  // the field, or the metatable if there is none
}

int refuseGlobal(lua_State* state) {
  return luaL_error(state, "a policy has no globals: write `local` before the name");
}

int refuseWrite(lua_State* state) {
  return luaL_error(state, "libraries are read-only");
}

// match(pattern, text): whole text, '*' any run, '?' any byte, ASCII letters in any case; never slow.
int matchWildcard(lua_State* state) {
  std::size_t patternSize = 0;
  std::size_t textSize = 0;
  const char* pattern = luaL_checklstring(state, 1, &patternSize);
  const char* text = luaL_checklstring(state, 2, &textSize);
  if (patternSize > 256) return luaL_error(state, "a pattern of match() has at most 256 bytes");
  lua_pushboolean(state, matchesWildcard({pattern, patternSize}, {text, textSize}));
  return 1;
}

// require("lib/NAME"): the set's own files only.
int requireModule(lua_State* state) {
  std::size_t size = 0;
  const char* name = luaL_checklstring(state, 1, &size);
  return guarded(state, [&] {
    Sandbox::of(state).pushModule(state, std::string(name, size));
    return 1;
  });
}

// ---- the world -------------------------------------------------------------------------------------------------

// What a policy may use of the standard libraries; all else is not there. No coroutines, no clock, no random numbers:
// a verdict depends on its arguments alone.
struct Library {
  const char* name;  // null: the base functions, which stand alone
  lua_CFunction open;
  std::vector<const char*> functions;
};

const Library Libraries[] = {
    {nullptr,
     luaopen_base,
     {"ipairs", "next", "pairs", "rawequal", "rawget", "rawlen", "select", "tonumber", "tostring", "type"}},
    {"string",
     luaopen_string,
     {"byte", "char", "find", "format", "gmatch", "gsub", "len", "lower", "match", "rep", "reverse", "sub", "upper"}},
    {"table", luaopen_table, {"concat", "insert", "move", "pack", "remove", "sort", "unpack"}},
    {"math", luaopen_math, {"abs", "ceil", "floor", "fmod", "max", "min", "modf", "sqrt", "tointeger", "type", "ult"}},
    {"utf8", luaopen_utf8, {"char", "codepoint", "codes", "len", "offset"}},
};

constexpr luaL_Reg OwnFunctions[] = {
    {"assert", assertTrue},   {"error", raise},           {"getmetatable", getMetatable}, {"match", matchWildcard},
    {"pcall", protectedCall}, {"require", requireModule}, {"setmetatable", setMetatable}, {nullptr, nullptr},
};

// The C functions of a library that are kept, null-terminated. Taken out of a machine of its own, once: opening whole
// libraries in each fresh state would cost more than most policies. None of them has upvalues.
std::vector<luaL_Reg> keptFunctions(const Library& library) {
  std::vector<luaL_Reg> kept;
  LuaState lua({1'000'000, 1u << 20});
  const bool ok = lua.run([&](lua_State* state) {
    lua_pushcfunction(state, library.open);
    lua_call(state, 0, 1);
    for (const char* name : library.functions) {
      lua_getfield(state, -1, name);
      const auto function = lua_tocfunction(state, -1);
      if (!function || lua_getupvalue(state, -1, 1) != nullptr) luaL_error(state, "no plain function %s", name);
      kept.push_back({name, function});
      lua_pop(state, 1);
    }
  });
  if (!ok) throw std::runtime_error("the Lua library is not the one this was written for: " + lua.error());
  kept.push_back({nullptr, nullptr});
  return kept;
}

const std::vector<luaL_Reg>& kept(const Library& library) {
  static const std::vector<std::vector<luaL_Reg>> all = [] {
    std::vector<std::vector<luaL_Reg>> lists;
    for (const auto& each : Libraries) lists.push_back(keptFunctions(each));
    return lists;
  }();
  return all[static_cast<std::size_t>(&library - Libraries)];
}

// The constants of the library whose table is on top of the stack.
void addConstants(lua_State* state, const char* library) {
  if (std::strcmp(library, "math") == 0) {
    lua_pushnumber(state, HUGE_VAL);
    lua_setfield(state, -2, "huge");
    lua_pushinteger(state, LUA_MAXINTEGER);
    lua_setfield(state, -2, "maxinteger");
    lua_pushinteger(state, LUA_MININTEGER);
    lua_setfield(state, -2, "mininteger");
  } else if (std::strcmp(library, "utf8") == 0) {
    lua_pushlstring(state, "[\0-\x7F\xC2-\xFD][\x80-\xBF]*", 14);
    lua_setfield(state, -2, "charpattern");
  }
}

// ("x"):upper() finds its functions in the table on top of the stack and nowhere else.
void setStringMetatable(lua_State* state) {
  lua_pushliteral(state, "");
  lua_createtable(state, 0, 2);
  lua_pushvalue(state, -3);
  lua_setfield(state, -2, "__index");
  lua_pushboolean(state, 0);
  lua_setfield(state, -2, "__metatable");
  lua_setmetatable(state, -2);
  lua_pop(state, 1);
}

int writeChunk(lua_State*, const void* bytes, std::size_t size, void* to) {
  try {
    static_cast<std::string*>(to)->append(static_cast<const char*>(bytes), size);
  } catch (const std::exception&) {
    return 1;
  }
  return 0;
}

}  // namespace

void seal(lua_State* state, const char* what) {
  lua_createtable(state, 0, 0);
  lua_createtable(state, 0, 4);
  lua_pushvalue(state, -3);
  lua_setfield(state, -2, "__index");
  lua_pushcfunction(state, refuseWrite);
  lua_setfield(state, -2, "__newindex");
  lua_pushboolean(state, 0);
  lua_setfield(state, -2, "__metatable");
  lua_pushstring(state, what);
  lua_setfield(state, -2, "__name");
  lua_setmetatable(state, -2);
  lua_remove(state, -2);
}

void Sandbox::open(lua_State* state) {
  luaL_checkstack(state, 40, nullptr);
  lua_createtable(state, 0, 48);
  const int base = lua_gettop(state);
  luaL_setfuncs(state, OwnFunctions, 0);
  addVerdictFunctions(state);
  addTextFunctions(state);
  for (const auto& library : Libraries) {
    const auto& functions = kept(library);
    if (!library.name) {
      luaL_setfuncs(state, functions.data(), 0);
      continue;
    }
    lua_createtable(state, 0, static_cast<int>(functions.size()) + 3);
    luaL_setfuncs(state, functions.data(), 0);
    addConstants(state, library.name);
    if (std::strcmp(library.name, "string") == 0) setStringMetatable(state);
    seal(state, library.name);
    lua_setfield(state, base, library.name);
  }

  lua_createtable(state, 0, 3);
  lua_pushvalue(state, base);
  lua_setfield(state, -2, "__index");
  lua_pushcfunction(state, refuseGlobal);
  lua_setfield(state, -2, "__newindex");
  lua_pushboolean(state, 0);
  lua_setfield(state, -2, "__metatable");
  lua_rawsetp(state, LUA_REGISTRYINDEX, &EnvironmentKey);
  lua_createtable(state, 0, 4);
  lua_rawsetp(state, LUA_REGISTRYINDEX, &ModulesKey);
  lua_createtable(state, 0, 0);
  lua_rawsetp(state, LUA_REGISTRYINDEX, &HooksKey);
  lua_settop(state, 0);
}

void Sandbox::runFile(lua_State* state, const std::string& name, const std::string& bytecode) {
  luaL_checkstack(state, 10, nullptr);
  if (luaL_loadbufferx(state, bytecode.data(), bytecode.size(), name.c_str(), "b") != LUA_OK) lua_error(state);
  lua_createtable(state, 0, 0);
  lua_rawgetp(state, LUA_REGISTRYINDEX, &EnvironmentKey);
  lua_setmetatable(state, -2);
  lua_setupvalue(state, -2, 1);
  const int before = lua_gettop(state) - 1;
  lua_call(state, 0, LUA_MULTRET);
  if (lua_gettop(state) != before + 1 || !lua_istable(state, -1))
    luaL_error(state, "%s must return one table", name.c_str());
}

void Sandbox::pushModule(lua_State* state, const std::string& name) {
  const auto module = set_.modules.find(name);
  if (module == set_.modules.end())
    luaL_error(state, "require() knows only the set's own helpers, as in require \"lib/tag\"");
  lua_rawgetp(state, LUA_REGISTRYINDEX, &ModulesKey);
  if (lua_getfield(state, -1, policy_.c_str()) == LUA_TNIL) {
    lua_pop(state, 1);
    lua_createtable(state, 0, 4);
    lua_pushvalue(state, -1);
    lua_setfield(state, -3, policy_.c_str());
  }
  lua_remove(state, -2);
  const int type = lua_getfield(state, -1, name.c_str());
  if (type == LUA_TBOOLEAN) luaL_error(state, "%s.lua requires itself", name.c_str());
  if (type == LUA_TNIL) {
    lua_pop(state, 1);
    lua_pushboolean(state, 0);  // being loaded
    lua_setfield(state, -2, name.c_str());
    runFile(state, name, module->second);
    seal(state, "module");
    lua_pushvalue(state, -1);
    lua_setfield(state, -3, name.c_str());
  }
  lua_remove(state, -2);
}

void Sandbox::pushPolicy(lua_State* state, const CompiledPolicy& policy) {
  runFile(state, policy.name, policy.bytecode);
  if (policy.overrides.empty()) return;
  if (lua_getfield(state, -1, "settings") != LUA_TTABLE) luaL_error(state, "`settings` is gone");
  for (const auto& [key, value] : policy.overrides) {
    if (const auto* flag = std::get_if<bool>(&value)) lua_pushboolean(state, *flag);
    if (const auto* whole = std::get_if<lua_Integer>(&value)) lua_pushinteger(state, *whole);
    if (const auto* number = std::get_if<lua_Number>(&value)) lua_pushnumber(state, *number);
    if (const auto* text = std::get_if<std::string>(&value)) lua_pushlstring(state, text->data(), text->size());
    if (const auto* items = std::get_if<std::vector<std::string>>(&value)) {
      lua_createtable(state, static_cast<int>(items->size()), 0);
      lua_Integer place = 0;
      for (const auto& item : *items) {
        lua_pushlstring(state, item.data(), item.size());
        lua_rawseti(state, -2, ++place);
      }
    }
    lua_setfield(state, -2, key.c_str());
  }
  lua_pop(state, 1);
}

void Sandbox::pushHook(lua_State* state, const CompiledPolicy& policy, const char* name) {
  pushPolicy(state, policy);
  if (lua_getfield(state, -1, "hooks") != LUA_TTABLE) luaL_error(state, "`hooks` is gone");
  if (lua_getfield(state, -1, name) != LUA_TFUNCTION) luaL_error(state, "the hook `%s` is gone", name);
  lua_replace(state, -3);
  lua_pop(state, 1);
}

void Sandbox::keepHook(lua_State* state, std::size_t place, const char* name) {
  lua_rawgetp(state, LUA_REGISTRYINDEX, &HooksKey);
  pushHook(state, set_.policies[place], name);
  lua_rawseti(state, -2, static_cast<lua_Integer>(place) + 1);
  lua_pop(state, 1);
}

void Sandbox::pushKeptHook(lua_State* state, std::size_t place) {
  lua_rawgetp(state, LUA_REGISTRYINDEX, &HooksKey);
  lua_rawgeti(state, -1, static_cast<lua_Integer>(place) + 1);
  lua_remove(state, -2);
}

void Sandbox::startCall(const CallWorld& world) {
  goBack();
  world_ = world;
  policy_.clear();
  declared_ = nullptr;
  content_.reset();
  counts_ = 0;
  words_.reset();
  wordsOf_.clear();
  verdicts_.clear();
  maps_.clear();
  notes_.clear();
}

std::uint32_t Sandbox::add(Verdict verdict) {
  if (verdicts_.size() == MaxVerdicts) throw std::length_error("too many verdicts in one call");
  verdicts_.push_back(std::move(verdict));
  return static_cast<std::uint32_t>(verdicts_.size() - 1);
}

std::uint32_t Sandbox::add(std::map<std::string, std::uint32_t> perRecipient) {
  if (maps_.size() == MaxNotes) throw std::length_error("too many verdicts{} in one call");
  maps_.push_back(std::move(perRecipient));
  return static_cast<std::uint32_t>(maps_.size() - 1);
}

void Sandbox::note(std::string key, std::string_view value) {
  if (notes_.size() == MaxNotes) throw std::length_error("too many notes in one call, at most 64");
  Note made{policy_, std::move(key), frame::toReplyText(value.substr(0, 256))};
  if (!frame::isWellFormed(made)) throw std::invalid_argument("the key of a note is 1 to 40 characters of a-z 0-9 _ -");
  notes_.push_back(std::move(made));
}

const MessageContent& Sandbox::content() {
  if (!content_) {
    if (world_.host == nullptr) throw std::logic_error("the content can be asked for in a hook only");
    content_ = world_.host->content();
  }
  return *content_;
}

std::uint64_t Sandbox::count(const std::string& key, std::uint32_t seconds) {
  if (world_.host == nullptr) throw std::logic_error("count() is for hooks only");
  if (++counts_ > MaxCounts) throw std::length_error("too many calls of count() in one call, at most 64");
  return world_.host->count(policy_, key, seconds);
}

Patterns& Sandbox::patterns() {
  if (world_.patterns == nullptr) throw std::logic_error("matches() and find_all() are for hooks only");
  return *world_.patterns;
}

const SiteSet* Sandbox::set(std::string_view name) const {
  static const SiteSet nothing;
  if (declared_ == nullptr || std::find(declared_->begin(), declared_->end(), name) == declared_->end()) return nullptr;
  const auto& sets = world_.sets ? *world_.sets : set_.sets;
  const auto found = sets.find(std::string(name));
  return found == sets.end() ? &nothing : found->second.get();
}

const WordText& Sandbox::words(std::string_view text) {
  if (!hasWords(text)) {
    words_.emplace(text);
    wordsOf_ = text;
  }
  return *words_;
}

Compiled compile(const std::string& path, const std::string& text, Budget budget) {
  Compiled result;
  LuaState lua(budget);
  const bool ok = lua.run([&](lua_State* state) {
    const auto chunkName = "@" + path;
    if (luaL_loadbufferx(state, text.data(), text.size(), chunkName.c_str(), "t") != LUA_OK) lua_error(state);
    if (lua_dump(state, writeChunk, &result.bytecode, 0) != 0) luaL_error(state, "no memory for the bytecode");
  });
  if (!ok) {
    result.bytecode.clear();
    result.error = lua.error();
  }
  return result;
}

}  // namespace postern::policy::worker
