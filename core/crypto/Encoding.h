#pragma once
#include <optional>
#include <string>
#include <string_view>

// Bytes as text. Decoders return nothing for text that is not exactly of their form.
namespace postern::crypto {

std::string base64(std::string_view bytes);       // one line, padded
std::string base64Lines(std::string_view bytes);  // lines of 76 characters, each ended by CRLF; nothing for no bytes
std::optional<std::string> fromBase64(std::string_view text);  // blanks and line ends are skipped

std::string base64Url(std::string_view bytes);  // RFC 4648 §5, no padding
std::optional<std::string> fromBase64Url(std::string_view text);

std::string hex(std::string_view bytes);                    // lower case
std::optional<std::string> fromHex(std::string_view text);  // both cases

std::string base32(std::string_view bytes);                    // RFC 4648 §6, upper case, no padding
std::optional<std::string> fromBase32(std::string_view text);  // both cases, with or without padding

}  // namespace postern::crypto
