#pragma once
#include <optional>
#include <string>
#include <string_view>

namespace postern::mail {

// Bytes of a declared charset as valid UTF-8; nothing for a charset that iconv does not know. What does not decode
// becomes U+FFFD, so a hostile byte never swallows the rest. An empty name counts as UTF-8 (and so as ASCII).
std::optional<std::string> toUtf8(std::string_view bytes, std::string_view charset);

std::string decodeBase64(std::string_view text);  // tolerant: skips foreign characters, stops at padding

}  // namespace postern::mail
