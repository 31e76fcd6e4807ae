#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace postern::policy::worker {

// A call whose first argument is a text that stands in the file: matches("…", x), in_set('…', x).
struct LiteralCall {
  std::string function;
  std::string text;
  std::uint32_t line = 0;
};

// The calls of these functions with such a first argument, by reading the file as Lua does: comments and texts are
// skipped. A call by another name, or with a text that is put together, is not seen; it fails when it is run.
std::vector<LiteralCall> literalCalls(std::string_view file, const std::vector<std::string_view>& functions);

}  // namespace postern::policy::worker
