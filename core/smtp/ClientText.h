#pragma once
#include "core/base/Result.h"

#include <string>
#include <string_view>

namespace postern::smtp {

// A part of a message that may go on the wire after DATA: a head, or a tail that many copies share. Made only by
// check(), so what exists is safe: CRLF line ends only, no NUL, no line over 998 bytes, dots stuffed. A shared tail is
// checked and stuffed once, not once per copy.
// Ownership: holds a view of the caller's bytes, which must outlive it, unless dots had to be stuffed.
// Threads: immutable.
class ClientText {
public:
  static constexpr std::size_t MaxLine = 998;  // RFC 5322 §2.1.1, without CRLF

  // Why the bytes must never be sent, for the ledger: it names no content. The bytes begin at the start of a line.
  static Result<ClientText, std::string> check(std::string_view bytes);

  std::string_view wire() const { return stuffed_.empty() ? std::string_view(bytes_) : std::string_view(stuffed_); }
  std::size_t size() const { return bytes_.size(); }  // as SIZE counts, before stuffing
  bool endsLine() const { return bytes_.empty() || bytes_.ends_with("\r\n"); }
  bool hasEightBit() const { return eightBit_; }
  bool hasEightBitHeader() const { return eightBitHeader_; }  // before the first empty line

private:
  std::string_view bytes_;
  std::string stuffed_;
  bool eightBit_ = false;
  bool eightBitHeader_ = false;
};

}  // namespace postern::smtp
