#include "core/smtp/ClientText.h"

#include <algorithm>
#include <cstring>

namespace postern::smtp {

namespace {

// Looks at one line without its CRLF. RFC 5321 §2.3.8: CR and LF only together.
const char* checkLine(std::string_view line, bool& eightBit) {
  if (line.size() > ClientText::MaxLine) return "a line is longer than 998 bytes";
  unsigned char high = 0;
  for (const char c : line) {
    if (c == '\0') return "it holds a NUL byte";
    if (c == '\r') return "it holds a bare CR";
    high |= static_cast<unsigned char>(c);
  }
  eightBit = (high & 0x80) != 0;
  return nullptr;
}

std::string stuffDots(std::string_view bytes) {
  std::string stuffed;
  stuffed.reserve(bytes.size() + 64);
  bool lineStart = true;
  for (const char c : bytes) {
    if (lineStart && c == '.') stuffed += '.';
    stuffed += c;
    lineStart = c == '\n';
  }
  return stuffed;
}

}  // namespace

Result<ClientText, std::string> ClientText::check(std::string_view bytes) {
  ClientText text;
  text.bytes_ = bytes;
  bool dots = false;
  bool inHeader = true;
  while (!bytes.empty()) {
    const auto end = bytes.find('\n');
    auto line = bytes.substr(0, end);
    if (end != std::string_view::npos) {
      if (!line.ends_with('\r')) return Unexpected<std::string>("it holds a bare LF");
      line.remove_suffix(1);
    }
    bool eightBit = false;
    if (const char* problem = checkLine(line, eightBit)) return Unexpected<std::string>(problem);
    dots = dots || line.starts_with('.');
    inHeader = inHeader && !line.empty();
    text.eightBit_ = text.eightBit_ || eightBit;
    text.eightBitHeader_ = text.eightBitHeader_ || (eightBit && inHeader);
    bytes.remove_prefix(end == std::string_view::npos ? bytes.size() : end + 1);
  }
  if (dots) text.stuffed_ = stuffDots(text.bytes_);
  return text;
}

}  // namespace postern::smtp
