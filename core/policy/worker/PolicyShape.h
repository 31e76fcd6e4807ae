#pragma once
#include "core/policy/PolicySet.h"
#include "core/policy/worker/Sandbox.h"

#include <cstdint>
#include <lua.hpp>
#include <map>
#include <optional>
#include <string>
#include <vector>

// What a policy's table must look like.
namespace postern::policy::worker {

// The hook of this name, and the names of all.
std::optional<Hook> hookNamed(const std::string& name);
std::string hookNames();

struct PolicyShape {
  PolicyInfo info;
  HookSet hooks;
  Settings settings;  // declared, with their defaults
  std::vector<std::string> problems;
};

// Inspects the policy table on top of the stack; pops nothing. Calls `cases` if it is a function.
PolicyShape readShape(lua_State* state, const std::string& fileName);

// Whether a policy has anything to do with its settings: its `awake`, if it has one. The policy table is on top of the
// stack. Raises Lua errors.
bool isAwake(lua_State* state);

// Pushes the list of cases of the policy table on top of the stack; a table, or a Lua error.
void pushCases(lua_State* state);

// Reads the table of settings.lua on top of the stack: { policy = { key = value } }. Raises Lua errors.
std::map<std::string, Settings> readSiteSettings(lua_State* state);

// Reads a table of settings on top of the stack, which must fit what the policy declares. Raises Lua errors.
Settings readSettingsTable(lua_State* state, const Settings& declared);

// What is wrong with the site's settings of a policy, given what it declares.
std::vector<std::string> mismatches(const Settings& site, const Settings& declared);

// "secure_tag.lua:12: text" in its parts; line 0 and the whole as text if it has no place.
struct LuaErrorPlace {
  std::string file;
  std::uint32_t line = 0;
  std::string text;
};
LuaErrorPlace splitLuaError(const std::string& error);

}  // namespace postern::policy::worker
