#pragma once
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

namespace re2 {
class RE2;
}

namespace postern::policy::worker {

// Regular expressions that take time linear in the text (RE2): no back-references, no look-around.
// Compiled ones are kept for the next calls, a bounded number of them; nothing of a text is kept.
// Threads: one.
class Patterns {
public:
  static constexpr std::size_t MaxPattern = 4096;

  Patterns();
  ~Patterns();
  Patterns(const Patterns&) = delete;
  Patterns& operator=(const Patterns&) = delete;

  // Throws std::invalid_argument with what is wrong with the pattern; it quotes the pattern, not the text.
  const re2::RE2& compiled(std::string_view pattern);

private:
  std::unordered_map<std::string, std::unique_ptr<re2::RE2>> known_;
};

// What is wrong with a pattern; empty if nothing is.
std::string whatIsWrongWith(std::string_view pattern);

}  // namespace postern::policy::worker
