#include "core/policy/worker/Literals.h"

#include "core/policy/worker/LuaState.h"

#include <algorithm>
#include <optional>

namespace postern::policy::worker {

namespace {

bool isWordByte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

// What a text of the file means, escapes and all: Lua itself says so.
std::optional<std::string> valueOf(std::string_view literal) {
  std::optional<std::string> value;
  LuaState lua({100'000, 4u << 20});
  const auto chunk = "return " + std::string(literal);
  lua.run([&](lua_State* state) {
    if (luaL_loadbufferx(state, chunk.data(), chunk.size(), "=literal", "t") != LUA_OK) lua_error(state);
    lua_call(state, 0, 1);
    std::size_t size = 0;
    if (lua_type(state, -1) != LUA_TSTRING) return;
    const char* const text = lua_tolstring(state, -1, &size);
    value.emplace(text, size);
  });
  return value;
}

class FileReader {
public:
  explicit FileReader(std::string_view file) : file_(file) {}

  std::vector<LiteralCall> read(const std::vector<std::string_view>& functions) {
    std::vector<LiteralCall> calls;
    while (at_ < file_.size()) {
      if (skipBlank()) continue;
      if (const auto text = takeText(); !text.empty()) {
        before_ = '"';
        continue;
      }
      const auto word = takeWord();
      if (word.empty()) {
        before_ = file_[at_++];
        continue;
      }
      const bool isMember = before_ == '.' || before_ == ':';
      before_ = 'a';
      if (isMember || std::find(functions.begin(), functions.end(), word) == functions.end()) continue;
      if (auto call = takeCall(word)) calls.push_back(std::move(*call));
    }
    return calls;
  }

private:
  // Blanks and comments.
  bool skipBlank() {
    const auto start = at_;
    while (at_ < file_.size() && std::string_view(" \t\r\n\f\v").find(file_[at_]) != std::string_view::npos) step();
    if (file_.substr(at_).starts_with("--")) {
      at_ += 2;
      if (takeLongBracket().empty())
        while (at_ < file_.size() && file_[at_] != '\n') step();
    }
    return at_ > start;
  }

  void step() {
    if (file_[at_] == '\n') ++line_;
    ++at_;
  }

  std::string_view takeWord() {
    const auto start = at_;
    while (at_ < file_.size() && isWordByte(file_[at_])) ++at_;
    return file_.substr(start, at_ - start);
  }

  // "…", '…' or [[…]], its quotes included; empty if there is none here.
  std::string_view takeText() {
    if (const auto text = takeLongBracket(); !text.empty()) return text;
    if (at_ == file_.size() || (file_[at_] != '"' && file_[at_] != '\'')) return {};
    const auto start = at_;
    const char quote = file_[at_];
    for (step(); at_ < file_.size() && file_[at_] != quote; step())
      if (file_[at_] == '\\' && at_ + 1 < file_.size()) step();
    if (at_ < file_.size()) step();
    return file_.substr(start, at_ - start);
  }

  // [[…]], [==[…]==]; empty if there is none here.
  std::string_view takeLongBracket() {
    const auto rest = file_.substr(at_);
    if (!rest.starts_with("[")) return {};
    const auto level = std::min(rest.find_first_not_of('=', 1), rest.size()) - 1;
    if (level + 1 >= rest.size() || rest[level + 1] != '[') return {};
    const auto close = "]" + std::string(level, '=') + "]";
    const auto end = rest.find(close, level + 2);
    const auto size = end == rest.npos ? rest.size() : end + close.size();
    for (std::size_t i = 0; i < size; ++i) step();
    return rest.substr(0, size);
  }

  // Behind the function's name: `("text",` or `("text")`, and nothing that makes another text of it.
  std::optional<LiteralCall> takeCall(std::string_view function) {
    while (skipBlank()) continue;
    if (at_ == file_.size() || file_[at_] != '(') return std::nullopt;
    before_ = file_[at_++];
    while (skipBlank()) continue;
    const auto line = line_;
    const auto text = takeText();
    if (text.empty()) return std::nullopt;
    before_ = '"';
    while (skipBlank()) continue;
    if (at_ == file_.size() || (file_[at_] != ',' && file_[at_] != ')')) return std::nullopt;
    auto value = valueOf(text);
    if (!value) return std::nullopt;
    return LiteralCall{std::string(function), std::move(*value), line};
  }

  std::string_view file_;
  std::size_t at_ = 0;
  std::uint32_t line_ = 1;
  char before_ = ' ';
};

}  // namespace

std::vector<LiteralCall> literalCalls(std::string_view file, const std::vector<std::string_view>& functions) {
  return FileReader(file).read(functions);
}

}  // namespace postern::policy::worker
