#include "gateway/deliver/EnvelopeShape.h"

#include "core/base/Codec.h"
#include "core/crypto/Encoding.h"
#include "core/mail/Date.h"
#include "gateway/deliver/EnvelopeFiles.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace postern::gateway::envelopeshape {
namespace {

using namespace std::string_view_literals;

constexpr auto Digits = "0123456789"sv;
constexpr auto TokenCharacters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"sv;
constexpr auto AddressCharacters =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.!#$%&'*+-/=?^_`{|}~@"sv;
constexpr auto Base64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=\r\n"sv;
constexpr std::size_t MaxHead = 8 * 1024;
constexpr std::size_t MaxName = 400;

// Of docs/pickup-format.md.
constexpr auto FileMagic = "PSTNPICK"sv;
constexpr std::size_t FileHeader = 8 + 1 + 4 + 8 + 8;
constexpr std::size_t RecordSize = 64 * 1024;
constexpr std::size_t TagSize = 16;
constexpr std::size_t Padding = 1024;

// Takes from the front of a text.
class Scanner {
public:
  explicit Scanner(std::string_view text) : rest_(text) {}

  bool take(std::string_view literal) {
    if (!rest_.starts_with(literal)) return false;
    rest_.remove_prefix(literal.size());
    return true;
  }
  std::string_view takeOf(std::string_view characters) {
    const auto taken = rest_.substr(0, std::min(rest_.find_first_not_of(characters), rest_.size()));
    rest_.remove_prefix(taken.size());
    return taken;
  }
  bool takeSome(std::string_view characters, std::size_t least, std::size_t most) {
    const auto taken = takeOf(characters);
    return taken.size() >= least && taken.size() <= most;
  }
  // A line up to its CRLF, which goes too.
  std::string_view takeLine() {
    const auto end = rest_.find("\r\n");
    const auto line = rest_.substr(0, end);
    rest_.remove_prefix(end == rest_.npos ? rest_.size() : end + 2);
    return line;
  }
  bool takeTime() {
    for (const char c : "0000-00-00T00:00:00Z"sv) {
      if (rest_.empty() || (c == '0' ? Digits.find(rest_.front()) == Digits.npos : rest_.front() != c)) return false;
      rest_.remove_prefix(1);
    }
    return true;
  }
  bool startsWith(std::string_view text) const { return rest_.starts_with(text); }
  std::string_view rest() const { return rest_; }
  bool atEnd() const { return rest_.empty(); }

private:
  std::string_view rest_;
};

// "NAME <ADDRESS>" or the address alone, folded or not: a name of a list, which its owners chose.
bool takeFrom(Scanner& scanner) {
  if (!scanner.take("From: ")) return false;
  std::string value(scanner.takeLine());
  while (scanner.startsWith(" ")) value += scanner.takeLine();
  const bool printable = std::all_of(value.begin(), value.end(), [](char c) { return c >= ' ' && c < 0x7f; });
  return printable && value.size() <= MaxName && std::count(value.begin(), value.end(), '@') >= 1;
}

bool takeDate(Scanner& scanner) {
  if (!scanner.take("Date: ")) return false;
  const auto value = scanner.takeLine();
  const auto date = mail::parseDate(value);
  return date && mail::formatDate(*date) == value;
}

bool takeMessageId(Scanner& scanner) {
  constexpr auto characters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-"sv;
  return scanner.take("Message-ID: <") && scanner.takeSome(characters, 1, 40) && scanner.take("@") &&
         scanner.takeSome(characters, 1, 300) && scanner.take(">\r\n");
}

// The fields in the one order that they have.
bool takeHeader(Scanner& scanner) {
  return takeFrom(scanner) && scanner.take("To: <") && scanner.takeSome(AddressCharacters, 3, 320) &&
         scanner.take(">\r\nSubject: A secure message waits for you\r\n") && takeDate(scanner) &&
         takeMessageId(scanner) && scanner.take("Auto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n");
}

bool takeText(Scanner& scanner, std::string_view ownUrl) {
  return scanner.take(
             "Content-Type: text/plain; charset=us-ascii\r\nContent-Transfer-Encoding: 7bit\r\n\r\n"
             "Hello,\r\n\r\na secure message waits for you. Read it here:\r\n\r\n") &&
         scanner.take(ownUrl) && scanner.take("/pickup/open?token=") && scanner.takeSome(TokenCharacters, 20, 120) &&
         scanner.take(
             "\r\n\r\nThe link works once and proves that this mailbox is yours. Then you choose how\r\nto sign in. No "
             "program has to be installed, and nobody will ask you by mail for\r\na password.\r\n\r\nThe message can "
             "be read until ") &&
         scanner.takeTime() && scanner.take(".\r\n\r\nThis mail says nothing more on purpose.\r\n");
}

// The page up to one of its places, and behind it.
std::string pagePart(std::string_view from, std::string_view to) {
  std::string page;
  for (const char c : envelopeFiles::all().front().content) page += c == '\n' ? std::string("\r\n") : std::string(1, c);
  const auto start = from.empty() ? 0 : page.find(from) + from.size();
  return page.substr(start, to.empty() ? page.npos : page.find(to) - start);
}

bool takePage(Scanner& scanner, std::string_view ownUrl) {
  const auto host = ownUrl.substr(ownUrl.find("//") + 2);
  return scanner.take(pagePart("", "{host}")) && scanner.take(host) && scanner.take(pagePart("{host}", "{link}")) &&
         scanner.take(ownUrl) && scanner.take("/pickup/attached?content=") && scanner.takeSome(Digits, 1, 20) &&
         scanner.take(pagePart("{link}", "{ciphertext}"));
}

// Two measures. Of ciphertext half of the bytes are over 127; of English or base64 none, of most other scripts nearly
// all. Vietnamese in UTF-8 or Chinese in UTF-16 come near the half, but no text has all bytes equally often: pairs of
// equal bytes are far more than chance makes. Nine deviations keep ciphertext from ever being blocked by bad luck.
bool looksRandom(std::string_view piece) {
  if (piece.size() < 256) return true;  // the end of a file that was looked at
  std::array<double, 256> counts{};
  double high = 0;
  for (const char c : piece) {
    const auto byte = static_cast<unsigned char>(c);
    ++counts[byte];
    if (byte > 127) ++high;
  }
  const auto size = static_cast<double>(piece.size());
  if (high < size * 0.3 || high > size * 0.7) return false;
  double equalPairs = 0;
  for (const double count : counts) equalPairs += count * (count - 1) / 2;
  const double expected = size * (size - 1) / 2 / 256;
  return equalPairs < expected + 9 * std::sqrt(expected);
}

bool isCiphertext(std::string_view file) {
  if (file.size() < FileHeader || !file.starts_with(FileMagic)) return false;
  Reader header(file.substr(FileMagic.size(), FileHeader - FileMagic.size()));
  if (header.u8() != 1 || header.u32() != RecordSize) return false;
  header.u64();
  const auto plain = header.u64();
  file.remove_prefix(FileHeader);
  if (plain == 0 || plain % Padding != 0 || plain > file.size()) return false;
  if (file.size() != plain + (plain + RecordSize - 1) / RecordSize * TagSize) return false;
  // In pieces, so that no stretch of text hides among the rest.
  for (std::size_t at = 0; at < file.size(); at += Padding)
    if (!looksRandom(file.substr(at, Padding))) return false;
  return true;
}

}  // namespace

Tail judgeTail(std::string_view bytes, std::string_view ownUrl) {
  Tail tail;
  Scanner scanner(bytes);
  const auto fail = [&](const char* why) {
    tail.problem = why;
    return tail;
  };
  if (!scanner.take("\r\n--")) return fail("the file of an envelope mail does not begin as it should");
  tail.boundary = scanner.takeLine();
  if (!tail.boundary.starts_with("pickup-") || tail.boundary.find_first_not_of(Digits, 7) != tail.boundary.npos)
    return fail("the boundary of an envelope mail is not of its form");
  if (!scanner.take("Content-Type: text/html; charset=us-ascii; name=\"SecureMessageATT.html\"\r\n"
                    "Content-Disposition: attachment; filename=\"SecureMessageATT.html\"\r\n"
                    "Content-Transfer-Encoding: 7bit\r\n\r\n") ||
      !takePage(scanner, ownUrl))
    return fail("the page of an envelope mail is not of its form, or leads elsewhere");
  const auto lines = scanner.takeOf(Base64);
  const auto file = crypto::fromBase64(lines);
  if (!file || crypto::base64Lines(*file) != lines)
    return fail("the ciphertext of an envelope mail is not plain base64");
  if (!isCiphertext(*file)) return fail("what an envelope mail carries is not ciphertext");
  if (!scanner.take(pagePart("{ciphertext}", "")) || !scanner.take("\r\n--") || !scanner.take(tail.boundary) ||
      !scanner.take("--\r\n") || !scanner.atEnd())
    return fail("an envelope mail does not end as it should");
  return tail;
}

std::string judge(std::string_view head, const Tail* tail, std::string_view ownUrl) {
  if (ownUrl.empty()) return "our own address is not known, so no link can be judged";
  if (head.size() > MaxHead) return "an envelope mail is too large";
  Scanner scanner(head);
  if (!takeHeader(scanner)) return "the header of an envelope mail is not of its form";
  if (tail == nullptr) {
    if (!takeText(scanner, ownUrl) || !scanner.atEnd())
      return "an envelope mail is not of its form, or leads elsewhere";
    return "";
  }
  if (!tail->problem.empty()) return tail->problem;
  if (!scanner.take("Content-Type: multipart/mixed; boundary=\"") || !scanner.take(tail->boundary) ||
      !scanner.take("\"\r\n\r\n--") || !scanner.take(tail->boundary) || !scanner.take("\r\n") ||
      !takeText(scanner, ownUrl) || !scanner.atEnd())
    return "an envelope mail is not of its form, or leads elsewhere";
  return "";
}

}  // namespace postern::gateway::envelopeshape
