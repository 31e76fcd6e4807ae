#include "core/mail/Multipart.h"

#include "core/mail/Text.h"

#include <string>

namespace postern::mail {

std::optional<Multipart> splitMultipart(std::string_view body, std::string_view boundary, std::size_t maxParts) {
  const auto delimiter = "--" + std::string(boundary);
  Multipart result;
  std::size_t start = 0;  // of the part, or of the preamble
  bool inPart = false;
  for (std::size_t line = 0; line < body.size();) {
    const auto end = body.find("\r\n", line);
    const auto next = end == std::string_view::npos ? body.size() : end + 2;
    auto rest = body.substr(line, (end == std::string_view::npos ? body.size() : end) - line);
    if (rest.starts_with(delimiter)) {
      rest.remove_prefix(delimiter.size());
      const bool closing = rest.starts_with("--");
      if (closing) rest.remove_prefix(2);
      if (trim(rest).empty()) {
        const auto before = body.substr(start, line >= start + 2 ? line - start - 2 : 0);
        if (inPart)
          result.parts.push_back(before);
        else
          result.preamble = before;
        if (closing) {
          result.epilogue = body.substr(next);
          return result.parts.empty() ? std::nullopt : std::optional(result);
        }
        if (result.parts.size() == maxParts) return std::nullopt;
        inPart = true;
        start = next;
      }
    }
    line = next;
  }
  return std::nullopt;
}

}  // namespace postern::mail
