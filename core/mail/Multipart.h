#pragma once
#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

namespace postern::mail {

// The parts of a multipart body as the very bytes that stand between its boundary lines (RFC 2046 §5.1.1), without the
// line end that belongs to the boundary. Views into `body`.
struct Multipart {
  std::string_view preamble;
  std::vector<std::string_view> parts;
  std::string_view epilogue;
};

// Nothing when the closing boundary or every part is missing, or when there are more parts than `maxParts`. Linear.
std::optional<Multipart> splitMultipart(std::string_view body, std::string_view boundary, std::size_t maxParts);

}  // namespace postern::mail
