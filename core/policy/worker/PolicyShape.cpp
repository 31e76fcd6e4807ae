#include "core/policy/worker/PolicyShape.h"

#include <algorithm>
#include <optional>

namespace postern::policy::worker {

namespace {

constexpr const char* Known[] = {"name", "doc", "settings", "sets", "awake", "hooks", "cases"};

template <std::size_t Size>
bool contains(const char* const (&names)[Size], const std::string& name) {
  return std::find(std::begin(names), std::end(names), name) != std::end(names);
}

// The key at -2 during lua_next, which must not be converted in place.
std::string keyText(lua_State* state) {
  return lua_type(state, -2) == LUA_TSTRING ? lua_tostring(state, -2) : std::string();
}

// Reads the value on top of the stack; false if it cannot be a setting.
bool readValue(lua_State* state, SettingValue& value) {
  switch (lua_type(state, -1)) {
    case LUA_TBOOLEAN:
      value = lua_toboolean(state, -1) != 0;
      return true;
    case LUA_TSTRING:
      value = std::string(lua_tostring(state, -1));
      return true;
    case LUA_TNUMBER:
      if (lua_isinteger(state, -1))
        value = lua_tointeger(state, -1);
      else
        value = lua_tonumber(state, -1);
      return true;
    case LUA_TTABLE:
      break;
    default:
      return false;
  }
  std::vector<std::string> items;
  const auto count = static_cast<lua_Integer>(lua_rawlen(state, -1));
  lua_Integer pairs = 0;
  lua_pushnil(state);
  while (lua_next(state, -2) != 0) {
    ++pairs;
    lua_pop(state, 1);
  }
  for (lua_Integer i = 1; i <= count; ++i) {
    const bool isText = lua_rawgeti(state, -1, i) == LUA_TSTRING;
    if (isText) items.emplace_back(lua_tostring(state, -1));
    lua_pop(state, 1);
    if (!isText) return false;
  }
  value = std::move(items);
  return pairs == count;
}

// Reads a table of settings on top of the stack; the names of those that cannot be one go to `bad`.
Settings readSettings(lua_State* state, std::vector<std::string>& bad) {
  Settings settings;
  lua_pushnil(state);
  while (lua_next(state, -2) != 0) {
    const auto key = keyText(state);
    SettingValue value;
    if (key.empty() || !readValue(state, value))
      bad.push_back(key);
    else
      settings.emplace(key, std::move(value));
    lua_pop(state, 1);
  }
  return settings;
}

void readHooks(lua_State* state, PolicyShape& shape) {
  lua_pushnil(state);
  while (lua_next(state, -2) != 0) {
    const auto key = keyText(state);
    if (!hookNamed(key))
      shape.problems.push_back("there is no hook `" + key + "`; there are " + hookNames());
    else if (!lua_isfunction(state, -1))
      shape.problems.push_back("the hook `" + key + "` must be a function");
    else {
      shape.info.hooks.push_back(key);
      shape.hooks.add(*hookNamed(key));
    }
    lua_pop(state, 1);
  }
  std::sort(shape.info.hooks.begin(), shape.info.hooks.end());
  if (shape.info.hooks.empty() && shape.problems.empty())
    shape.problems.emplace_back("`hooks` is empty: the policy would never run");
}

bool isSetName(const std::string& name) {
  return !name.empty() && name.size() <= 40 && name[0] >= 'a' && name[0] <= 'z' &&
         std::all_of(name.begin(), name.end(),
                     [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; });
}

// sets = { trusted_domains = "what it is for" }
void readDeclaredSets(lua_State* state, PolicyShape& shape) {
  const int type = lua_getfield(state, -1, "sets");
  if (type == LUA_TTABLE) {
    lua_pushnil(state);
    while (lua_next(state, -2) != 0) {
      const auto name = keyText(state);
      const std::string doc = lua_type(state, -1) == LUA_TSTRING ? lua_tostring(state, -1) : "";
      if (!isSetName(name))
        shape.problems.emplace_back(
            "the name of a set is a-z, 0-9 and _, at most 40, as in sets = { name = 'what it is for' }");
      else if (doc.empty())
        shape.problems.push_back("the set `" + name + "` needs a text that says what it is for");
      else
        shape.info.sets.push_back({name, doc});
      lua_pop(state, 1);
    }
    std::sort(shape.info.sets.begin(), shape.info.sets.end(),
              [](const DeclaredSet& a, const DeclaredSet& b) { return a.name < b.name; });
  } else if (type != LUA_TNIL) {
    shape.problems.emplace_back("`sets` must be a table of names and what they are for");
  }
  lua_pop(state, 1);
}

void readCaseTitles(lua_State* state, PolicyShape& shape) {
  const auto count = static_cast<lua_Integer>(lua_rawlen(state, -1));
  for (lua_Integer i = 1; i <= count; ++i) {
    std::string title;
    if (lua_rawgeti(state, -1, i) == LUA_TTABLE) {
      if (lua_getfield(state, -1, "title") == LUA_TSTRING) title = lua_tostring(state, -1);
      lua_pop(state, 1);
    }
    lua_pop(state, 1);
    if (title.empty()) shape.problems.push_back("case " + std::to_string(i) + " has no `title`");
    shape.info.cases.push_back(title);
  }
}

void readText(lua_State* state, const char* field, std::string& text, PolicyShape& shape) {
  if (lua_getfield(state, -1, field) == LUA_TSTRING) text = lua_tostring(state, -1);
  lua_pop(state, 1);
  if (text.empty()) shape.problems.push_back(std::string("`") + field + "` must be a text");
}

}  // namespace

std::optional<Hook> hookNamed(const std::string& name) {
  for (auto number = 0; number <= static_cast<int>(LastHook); ++number)
    if (name == nameOf(static_cast<Hook>(number))) return static_cast<Hook>(number);
  return std::nullopt;
}

std::string hookNames() {
  std::string names;
  for (auto number = 0; number <= static_cast<int>(LastHook); ++number)
    names += std::string(number == 0 ? "" : ", ") + nameOf(static_cast<Hook>(number));
  return names;
}

PolicyShape readShape(lua_State* state, const std::string& fileName) {
  PolicyShape shape;
  lua_pushnil(state);
  while (lua_next(state, -2) != 0) {
    if (const auto key = keyText(state); !contains(Known, key))
      shape.problems.push_back("unknown field `" + key + "`; there are name, doc, settings, sets, awake, hooks, cases");
    lua_pop(state, 1);
  }
  readText(state, "name", shape.info.name, shape);
  readText(state, "doc", shape.info.doc, shape);
  if (!shape.info.name.empty() && shape.info.name != fileName)
    shape.problems.push_back("`name` is \"" + shape.info.name + "\" but the file is " + fileName + ".lua");
  shape.info.name = fileName;
  if (lua_getfield(state, -1, "hooks") == LUA_TTABLE)
    readHooks(state, shape);
  else
    shape.problems.emplace_back("`hooks` must be a table of functions");
  lua_pop(state, 1);
  const int settings = lua_getfield(state, -1, "settings");
  std::vector<std::string> bad;
  if (settings == LUA_TTABLE)
    shape.settings = readSettings(state, bad);
  else if (settings != LUA_TNIL)
    shape.problems.emplace_back("`settings` must be a table");
  lua_pop(state, 1);
  for (const auto& key : bad)
    shape.problems.push_back("setting `" + key + "` must be a text, number, boolean or list of texts");
  readDeclaredSets(state, shape);
  pushCases(state);
  readCaseTitles(state, shape);
  lua_pop(state, 1);
  return shape;
}

bool isAwake(lua_State* state) {
  const int type = lua_getfield(state, -1, "awake");
  if (type == LUA_TNIL) {
    lua_pop(state, 1);
    return true;
  }
  if (type != LUA_TFUNCTION) luaL_error(state, "`awake` must be a function");
  lua_call(state, 0, 1);
  if (!lua_isboolean(state, -1)) luaL_error(state, "`awake` must return true or false");
  const bool awake = lua_toboolean(state, -1) != 0;
  lua_pop(state, 1);
  return awake;
}

void pushCases(lua_State* state) {
  const int type = lua_getfield(state, -1, "cases");
  if (type == LUA_TNIL) {
    lua_pop(state, 1);
    lua_createtable(state, 0, 0);
  } else if (type == LUA_TFUNCTION) {
    lua_call(state, 0, 1);
  }
  if (!lua_istable(state, -1)) luaL_error(state, "`cases` must be a list or a function that returns one");
  const auto count = lua_rawlen(state, -1);
  lua_Unsigned pairs = 0;
  lua_pushnil(state);
  while (lua_next(state, -2) != 0) {
    ++pairs;
    lua_pop(state, 1);
  }
  if (pairs != count) luaL_error(state, "`cases` must be a list without gaps and names");
}

std::map<std::string, Settings> readSiteSettings(lua_State* state) {
  std::map<std::string, Settings> all;
  lua_pushnil(state);
  while (lua_next(state, -2) != 0) {
    const auto policy = keyText(state);
    if (policy.empty() || !lua_istable(state, -1))
      luaL_error(state, "settings.lua must return { policy = { setting = value } }");
    std::vector<std::string> bad;
    all[policy] = readSettings(state, bad);
    if (!bad.empty())
      luaL_error(state, "%s.%s must be a text, number, boolean or list of texts", policy.c_str(), bad.front().c_str());
    lua_pop(state, 1);
  }
  return all;
}

Settings readSettingsTable(lua_State* state, const Settings& declared) {
  if (!lua_istable(state, -1)) luaL_error(state, "`settings` must be a table");
  std::vector<std::string> bad;
  auto settings = readSettings(state, bad);
  if (!bad.empty()) luaL_error(state, "setting `%s` has a wrong type", bad.front().c_str());
  if (const auto problems = mismatches(settings, declared); !problems.empty())
    luaL_error(state, "%s", problems.front().c_str());
  return settings;
}

std::vector<std::string> mismatches(const Settings& site, const Settings& declared) {
  static constexpr const char* types[] = {"boolean", "whole number", "number", "text", "list of texts"};
  std::vector<std::string> problems;
  for (const auto& [key, value] : site) {
    const auto found = declared.find(key);
    if (found == declared.end())
      problems.push_back("there is no setting `" + key + "`");
    else if (found->second.index() != value.index())
      problems.push_back("`" + key + "` must be a " + types[found->second.index()]);
  }
  return problems;
}

LuaErrorPlace splitLuaError(const std::string& error) {
  const auto colon = error.find(".lua:");
  if (colon == std::string::npos) return {"", 0, error};
  auto end = colon + 5;
  std::uint32_t line = 0;
  while (end < error.size() && error[end] >= '0' && error[end] <= '9' && line < 1'000'000)
    line = line * 10 + static_cast<std::uint32_t>(error[end++] - '0');
  const auto file = error.substr(0, colon + 4);
  const bool isName = std::all_of(file.begin(), file.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '/' ||
           c == '.';
  });
  if (line == 0 || !isName || end + 1 >= error.size()) return {"", 0, error};
  return {file, line, error.substr(end + 2)};
}

}  // namespace postern::policy::worker
