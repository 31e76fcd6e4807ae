#pragma once
#include "core/base/Result.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace postern::smtp {

// `text` for logs and the ledger: at most `limit` bytes, everything that is not printable ASCII shown as "?".
std::string printable(std::string_view text, std::size_t limit = 512);

// One reply of another server. The lines are as sent, without code and line end: hostile until made printable().
struct ClientReply {
  std::uint16_t code = 0;
  std::vector<std::string> lines;  // at least one

  int group() const { return code / 100; }
  std::string text() const;  // the lines with a space between, printable, at most 512 bytes
};

// Cuts the bytes from a server into replies. RFC 5321 §4.2: strict, since a reply that is read wrongly makes mail
// delivered that is not: three digits 2xx to 5xx, the same on each line, CRLF and no other CR, LF or NUL.
// Errors: a malformed reply is a text, and the same again from then on. Threads: one.
class ClientReplyParser {
public:
  static constexpr std::size_t MaxLine = 2048;  // with CRLF; RFC 5321 says 512, some servers talk more
  static constexpr std::size_t MaxLines = 128;

  void feed(std::string_view bytes) { unread_ += bytes; }
  Result<std::optional<ClientReply>, std::string> next();
  bool hasUnread() const { return !unread_.empty() || !reply_.lines.empty(); }
  void clear();

private:
  std::optional<std::string> addLine(std::string_view line, bool& last);
  std::string unread_;
  ClientReply reply_;  // the lines so far
  std::string problem_;
};

}  // namespace postern::smtp
