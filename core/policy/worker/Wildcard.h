#pragma once
#include <string_view>

namespace postern::policy::worker {

// Whether the whole text matches a pattern of literal bytes, '*' (any run) and '?' (any one byte); ASCII letters match
// in any case. At most |pattern| x |text| steps whatever they hold, unlike Lua's patterns.
inline bool matchesWildcard(std::string_view pattern, std::string_view text) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  std::size_t p = 0;
  std::size_t t = 0;
  auto star = std::string_view::npos;  // the last '*' seen, and where its run ends so far
  std::size_t runEnd = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      runEnd = t;
    } else if (p < pattern.size() && (pattern[p] == '?' || lower(pattern[p]) == lower(text[t]))) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++runEnd;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

}  // namespace postern::policy::worker
