#include "core/mail/Text.h"

#include <algorithm>
#include <cstdint>

namespace postern::mail {

namespace {

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}

bool isContinuation(std::string_view text, std::size_t at) {
  return at < text.size() && (static_cast<unsigned char>(text[at]) & 0xc0) == 0x80;
}

// Octets of the well-formed character at the start (RFC 3629 §4), or 0.
std::size_t characterLength(std::string_view text) {
  const auto first = static_cast<unsigned char>(text[0]);
  if (first < 0x80) return 1;
  const auto second = text.size() > 1 ? static_cast<unsigned char>(text[1]) : 0;
  if (first >= 0xc2 && first <= 0xdf) return isContinuation(text, 1) ? 2 : 0;
  if ((first & 0xf0) == 0xe0) {
    const bool fits = (first != 0xe0 || second >= 0xa0) && (first != 0xed || second <= 0x9f);
    return fits && isContinuation(text, 1) && isContinuation(text, 2) ? 3 : 0;
  }
  if (first >= 0xf0 && first <= 0xf4) {
    const bool fits = (first != 0xf0 || second >= 0x90) && (first != 0xf4 || second <= 0x8f);
    return fits && isContinuation(text, 1) && isContinuation(text, 2) && isContinuation(text, 3) ? 4 : 0;
  }
  return 0;
}

}  // namespace

std::string lowerAscii(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(), lower);
  return result;
}

bool equalsIgnoreCase(std::string_view a, std::string_view b) {
  return a.size() == b.size() &&
         std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) { return lower(x) == lower(y); });
}

bool isAscii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

bool hasControl(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

std::string_view trim(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

bool isUtf8(std::string_view text) {
  while (!text.empty()) {
    const auto length = characterLength(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

std::string repairUtf8(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  while (!text.empty()) {
    const auto length = characterLength(text);
    if (length == 0)
      result += "\xef\xbf\xbd";
    else
      result += text.substr(0, length);
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return result;
}

std::string_view cutUtf8(std::string_view text, std::size_t max) {
  if (text.size() <= max) return text;
  while (max > 0 && isContinuation(text, max)) --max;
  return text.substr(0, max);
}

LineEnds inspectLineEnds(std::string_view bytes) {
  LineEnds ends;
  char previous = 0;
  for (const char c : bytes) {
    if (c == '\n' && previous != '\r') ends.bareLf = true;
    if (previous == '\r' && c != '\n') ends.bareCr = true;
    if (c == 0) ends.nul = true;
    previous = c;
  }
  if (previous == '\r') ends.bareCr = true;
  return ends;
}

bool isCanonical(std::string_view bytes) {
  return inspectLineEnds(bytes).clean() && (bytes.empty() || bytes.ends_with("\r\n"));
}

}  // namespace postern::mail
