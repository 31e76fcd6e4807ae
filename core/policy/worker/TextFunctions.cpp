#include "core/policy/worker/TextFunctions.h"

#include "core/policy/frame/QueryFrame.h"
#include "core/policy/worker/Patterns.h"
#include "core/policy/worker/Sandbox.h"
#include "core/policy/worker/WordIndex.h"

#include <re2/re2.h>

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace postern::policy::worker {

namespace {

constexpr std::size_t MaxFound = 1000;

std::string_view textArgument(lua_State* state, int place) {
  std::size_t size = 0;
  const char* const text = luaL_checklstring(state, place, &size);
  return {text, size};
}

// What scanning costs of the call's instructions: they bound what a script may have scanned in all.
void chargeScan(lua_State* state, std::size_t bytes) {
  LuaState::of(state).charge(100 + bytes / 8);
}

// Matching a compiled pattern is linear and allocates within its own cap; making one costs more.
const re2::RE2& pattern(lua_State* state) {
  auto& patterns = Sandbox::of(state).patterns();
  const auto text = textArgument(state, 1);
  LuaState::of(state).charge(text.size());
  return patterns.compiled(text);
}

int matchesPattern(lua_State* state) {
  const auto text = textArgument(state, 2);
  textArgument(state, 1);
  chargeScan(state, text.size());
  return guarded(state, [&] {
    lua_pushboolean(state, re2::RE2::PartialMatch({text.data(), text.size()}, pattern(state)));
    return 1;
  });
}

int findAll(lua_State* state) {
  textArgument(state, 1);
  const auto text = textArgument(state, 2);
  // msg:text() gives two values; the second one is no limit.
  if (lua_isboolean(state, 3)) lua_settop(state, 2);
  const auto limit = luaL_optinteger(state, 3, 100);
  luaL_argcheck(state, limit >= 1 && limit <= static_cast<lua_Integer>(MaxFound), 3, "from 1 to 1000");
  chargeScan(state, text.size());
  return guarded(state, [&] {
    const auto& compiled = pattern(state);
    const re2::StringPiece whole(text.data(), text.size());
    re2::StringPiece match;
    std::size_t from = 0;
    lua_createtable(state, 4, 0);
    lua_Integer found = 0;
    while (found < limit && from <= text.size() &&
           compiled.Match(whole, from, text.size(), re2::RE2::UNANCHORED, &match, 1)) {
      const auto start = static_cast<std::size_t>(match.data() - text.data());
      from = start + std::max<std::size_t>(match.size(), 1);
      if (match.empty()) continue;
      lua_pushlstring(state, match.data(), match.size());
      lua_rawseti(state, -2, ++found);
      LuaState::of(state).charge(20);
    }
    return 1;
  });
}

// The set of this name, that the running policy declares. An error otherwise: a slip of the pen must not read as empty.
const SiteSet& declaredSet(lua_State* state, std::string_view name) {
  const auto* const set = Sandbox::of(state).set(name);
  if (set == nullptr)
    luaL_error(state, "this policy declares no such set; it needs sets = { name = \"what it is for\" }");
  return *set;
}

void pushFound(lua_State* state, const std::vector<std::string>& words, const std::vector<std::size_t>& found) {
  lua_createtable(state, static_cast<int>(found.size()), 0);
  lua_Integer place = 0;
  for (const auto index : found) {
    lua_pushlstring(state, words[index].data(), words[index].size());
    lua_rawseti(state, -2, ++place);
  }
}

std::vector<std::string> wordList(lua_State* state) {
  std::vector<std::string> words;
  const auto count = static_cast<lua_Integer>(lua_rawlen(state, 1));
  for (lua_Integer i = 1; i <= count; ++i) {
    if (lua_rawgeti(state, 1, i) != LUA_TSTRING) luaL_error(state, "words_in takes a list of texts or a set's name");
    std::size_t size = 0;
    const char* const word = lua_tolstring(state, -1, &size);
    words.emplace_back(word, size);
    lua_pop(state, 1);
    LuaState::of(state).charge(20 + size);
  }
  return words;
}

int wordsIn(lua_State* state) {
  const auto text = textArgument(state, 2);
  return guarded(state, [&] {
    auto& sandbox = Sandbox::of(state);
    if (!sandbox.hasWords(text)) sandbox.charge(100 + text.size() / 2);
    sandbox.charge(100 + text.size() / 8);
    if (lua_type(state, 1) == LUA_TSTRING) {
      const auto& set = declaredSet(state, textArgument(state, 1));
      // Cutting the text is the dear part, and a set that nobody has filled is the usual one.
      pushFound(state, set.entries(),
                set.entries().empty() ? std::vector<std::size_t>() : set.words().find(sandbox.words(text), MaxFound));
      return 1;
    }
    luaL_checktype(state, 1, LUA_TTABLE);
    const auto words = wordList(state);
    pushFound(state, words, WordIndex(words).find(sandbox.words(text), MaxFound));
    return 1;
  });
}

int inSet(lua_State* state) {
  const auto name = textArgument(state, 1);
  const auto value = textArgument(state, 2);
  chargeScan(state, value.size());
  return guarded(state, [&] {
    lua_pushboolean(state, declaredSet(state, name).contains(value));
    return 1;
  });
}

int countKey(lua_State* state) {
  const auto key = textArgument(state, 1);
  const auto seconds = luaL_checkinteger(state, 2);
  luaL_argcheck(state, !key.empty() && key.size() <= frame::MaxCountKey, 1, "a key has 1 to 256 bytes");
  luaL_argcheck(state, seconds >= 1 && seconds <= static_cast<lua_Integer>(frame::MaxCountSeconds), 2,
                "from 1 second to 7 days");
  return guarded(state, [&] {
    const auto count = Sandbox::of(state).count(std::string(key), static_cast<std::uint32_t>(seconds));
    lua_pushinteger(state, static_cast<lua_Integer>(count));
    return 1;
  });
}

void setText(lua_State* state, const char* field, const std::string& value) {
  lua_pushlstring(state, value.data(), value.size());
  lua_setfield(state, -2, field);
}

}  // namespace

void addTextFunctions(lua_State* state) {
  static constexpr luaL_Reg functions[] = {
      {"matches", matchesPattern}, {"find_all", findAll}, {"words_in", wordsIn},
      {"in_set", inSet},           {"count", countKey},   {nullptr, nullptr},
  };
  luaL_setfuncs(state, functions, 0);
}

int partsOfMessage(lua_State* state) {
  return guarded(state, [&] {
    const auto& parts = Sandbox::of(state).content().parts;
    lua_createtable(state, static_cast<int>(parts.size()), 0);
    lua_Integer place = 0;
    for (const auto& part : parts) {
      lua_createtable(state, 0, 5);
      setText(state, "type", part.type);
      if (!part.filename.empty()) setText(state, "filename", part.filename);
      lua_pushinteger(state, static_cast<lua_Integer>(part.size));
      lua_setfield(state, -2, "size");
      setText(state, "disposition", part.disposition);
      lua_pushboolean(state, part.isEncrypted);
      lua_setfield(state, -2, "is_encrypted");
      lua_rawseti(state, -2, ++place);
    }
    return 1;
  });
}

int textOfMessage(lua_State* state) {
  return guarded(state, [&] {
    const auto& content = Sandbox::of(state).content();
    lua_pushlstring(state, content.text.data(), content.text.size());
    lua_pushboolean(state, content.textCut);
    return 2;
  });
}

}  // namespace postern::policy::worker
