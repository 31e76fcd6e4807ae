#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace postern::mail {

// A structured MIME value in pieces: `text/plain; charset="utf-8"` (RFC 2045 §5.1), comments taken out.
struct Parameter {
  std::string name;   // lower case, as written: "filename*0*"
  std::string value;  // quotes and backslashes taken off
  std::string raw;    // as written, on one line: `charset="utf-8"`
};

struct ParameterizedValue {
  std::string value;  // lower case, without blanks: "text/plain"
  std::vector<Parameter> parameters;
  bool hasComment = false;
  bool wellFormed = true;  // false: unclosed quote or comment, a parameter without "=", stray text

  const Parameter* find(std::string_view name) const;  // the first
};

// Tolerant, linear. Stops at 1,000 parameters, which is not well-formed.
ParameterizedValue parseParameterized(std::string_view rawValue);

}  // namespace postern::mail
