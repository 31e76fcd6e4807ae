#pragma once
#include <algorithm>
#include <cstdint>
#include <lua.hpp>
#include <string>
#include <string_view>

// Read-only views of facts as Lua values, for FactProxies.cpp and ListProxies.cpp.
namespace postern::policy::worker::proxy {

inline int refuseWrite(lua_State* state) {
  return luaL_error(state, "the arguments of a hook are read-only");
}

// Pushes a userdata that holds the address of a fact. Its metatable is made at its first use in a state.
template <class Fact>
void pushProxy(lua_State* state, const Fact& fact, const char* type, lua_CFunction index,
               lua_CFunction length = nullptr) {
  auto* const slot = static_cast<const Fact**>(lua_newuserdatauv(state, sizeof(const Fact*), 0));
  *slot = &fact;
  if (luaL_newmetatable(state, type)) {
    lua_pushcfunction(state, index);
    lua_setfield(state, -2, "__index");
    lua_pushcfunction(state, refuseWrite);
    lua_setfield(state, -2, "__newindex");
    if (length) {
      lua_pushcfunction(state, length);
      lua_setfield(state, -2, "__len");
    }
    lua_pushboolean(state, 0);
    lua_setfield(state, -2, "__metatable");
  }
  lua_setmetatable(state, -2);
}

template <class Fact>
const Fact& factOf(lua_State* state, const char* type) {
  return **static_cast<const Fact**>(luaL_checkudata(state, 1, type));
}

inline std::string_view keyOf(lua_State* state) {
  if (lua_type(state, 2) != LUA_TSTRING) luaL_error(state, "a field name is a text");
  std::size_t size = 0;
  const char* const text = lua_tolstring(state, 2, &size);
  return {text, size};
}

inline int text(lua_State* state, const std::string& value) {
  lua_pushlstring(state, value.data(), value.size());
  return 1;
}

inline int textOrNil(lua_State* state, const std::string& value) {
  if (value.empty()) {
    lua_pushnil(state);
    return 1;
  }
  return text(state, value);
}

inline int number(lua_State* state, std::uint64_t value) {
  lua_pushinteger(state, static_cast<lua_Integer>(value));
  return 1;
}

inline int flag(lua_State* state, bool value) {
  lua_pushboolean(state, value);
  return 1;
}

inline int function(lua_State* state, lua_CFunction value) {
  lua_pushcfunction(state, value);
  return 1;
}

// The name is shown only if it can be a name: a script may index by a piece of mail.
inline int unknown(lua_State* state, const char* type, std::string_view key) {
  const bool isName = !key.empty() && key.size() <= 24 &&
                      std::all_of(key.begin(), key.end(), [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; });
  if (!isName) return luaL_error(state, "`%s` has no such field", type);
  lua_pushlstring(state, key.data(), key.size());
  return luaL_error(state, "`%s` has no field `%s`", type, lua_tostring(state, -1));
}

}  // namespace postern::policy::worker::proxy
