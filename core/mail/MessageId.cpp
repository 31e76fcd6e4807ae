#include "core/mail/MessageId.h"

#include "core/base/Error.h"
#include "core/mail/Header.h"

#include <sys/random.h>

#include <algorithm>
#include <array>

namespace postern::mail {

namespace {

constexpr std::size_t MaxMessageId = 250;

std::string base32(const std::array<unsigned char, 16>& bytes) {
  constexpr std::string_view alphabet = "abcdefghijklmnopqrstuvwxyz234567";
  std::string text;
  unsigned buffer = 0;
  int bits = 0;
  for (const unsigned char byte : bytes) {
    buffer = (buffer << 8 | byte) & 0xfff;
    for (bits += 8; bits >= 5; bits -= 5) text += alphabet[buffer >> (bits - 5) & 31];
  }
  if (bits > 0) text += alphabet[buffer << (5 - bits) & 31];
  return text;
}

}  // namespace

std::string makeMessageId(const DomainName& domain) {
  std::array<unsigned char, 16> random;
  if (getrandom(random.data(), random.size(), 0) != static_cast<ssize_t>(random.size()))
    throw Error(ErrorKind::Crypto, "the system gives no random numbers");
  return "<" + base32(random) + "@" + domain.text() + ">";
}

bool isMessageId(std::string_view text) {
  if (text.size() < 5 || text.size() > MaxMessageId || text.front() != '<' || text.back() != '>') return false;
  const auto inside = text.substr(1, text.size() - 2);
  const bool printable =
      std::all_of(inside.begin(), inside.end(), [](char c) { return c > ' ' && c < 0x7f && c != '<' && c != '>'; });
  const auto at = inside.find('@');
  return printable && at != inside.npos && at > 0 && at + 1 < inside.size();
}

std::vector<std::string> parseMessageIds(std::string_view rawValue, std::size_t max) {
  const std::string line = unfold(rawValue);
  const std::string_view text = line;
  std::vector<std::string> ids;
  // From the back, so that the nearest ancestors survive the limit.
  for (std::size_t end = text.rfind('>'); end != text.npos && ids.size() < max;) {
    const auto start = text.rfind('<', end);
    if (start == text.npos) break;
    const auto id = text.substr(start, text.find('>', start) - start + 1);
    if (isMessageId(id)) ids.emplace_back(id);
    if (start == 0) break;
    end = text.rfind('>', start - 1);
  }
  std::reverse(ids.begin(), ids.end());
  return ids;
}

}  // namespace postern::mail
