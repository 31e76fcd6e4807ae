#pragma once
#include "core/base/Result.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace postern::mail {

// One header field. All three are views into the scanned buffer.
struct HeaderField {
  std::string_view name;   // as written, without the colon
  std::string_view value;  // raw: behind the colon, folds and leading blank kept, without the last line end
  std::string_view raw;    // the whole field with its last line end
};

// What is wrong with a header, though it could be read.
enum class HeaderDefect : std::uint8_t {
  BareCr,
  BareLf,
  Nul,
  MissingColon,      // a line that is no field and no continuation
  BadName,           // a name with characters other than printable ASCII, or empty
  SpaceBeforeColon,  // "Subject : x" (RFC 5322 §4.5); `name` is without the blank
  LineTooLong,       // over 998 octets without the line end
  StrayFold,         // the first line starts with a blank
  DuplicateField,    // a field that may stand once stands twice (RFC 5322 §3.6, RFC 2045)
  BlankFold,         // a continuation line of blanks only
  NotUtf8,           // bytes that are neither ASCII nor UTF-8
  NoEnd,             // the header ends without an empty line
};
const char* headerDefectText(HeaderDefect defect);

struct HeaderFinding {
  HeaderDefect defect;
  std::size_t offset;  // in the scanned buffer
  std::string field;   // name in lower case, where one is known
};

enum class HeaderError : std::uint8_t { TooLarge, TooManyFields };

struct HeaderLimits {
  std::size_t maxBytes = 4u << 20;
  std::size_t maxFields = 200'000;
};

// The header of a message as spans over an immutable buffer; the bytes stay exactly as they came.
// Reads everything, judges by findings: the first of each defect (and the first duplicate of each field name).
// Lines end with CRLF; a bare CR or LF is a finding, and a bare LF also ends a line, as most readers take it.
// Ownership: the buffer must outlive the block. Immutable; safe for all threads. Time and memory linear in the header.
class HeaderBlock {
public:
  static Result<HeaderBlock, HeaderError> scan(std::string_view message, const HeaderLimits& limits = {});

  const std::vector<HeaderField>& fields() const { return fields_; }
  const std::vector<HeaderFinding>& findings() const { return findings_; }
  bool has(HeaderDefect defect) const;
  std::size_t bodyOffset() const { return bodyOffset_; }  // behind the empty line; size of the buffer without one

  // By name, ASCII letters in any case. `find` gives the first.
  const HeaderField* find(std::string_view name) const;
  std::size_t count(std::string_view name) const;
  std::optional<std::string> value(std::string_view name) const;  // unfolded and trimmed, not decoded

private:
  HeaderBlock() = default;
  friend class HeaderScanner;
  std::vector<HeaderField> fields_;
  std::vector<HeaderFinding> findings_;
  std::size_t bodyOffset_ = 0;
};

// A raw value as one line: line ends are taken out (RFC 5322 §2.2.3), blanks at the ends trimmed.
std::string unfold(std::string_view value);

// True for a name that may stand in a header: 1 to 76 printable ASCII characters without colon.
bool isFieldName(std::string_view name);

}  // namespace postern::mail
