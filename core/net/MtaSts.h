#pragma once
#include "core/base/Result.h"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace postern::net {

// What a domain demands of those who send it mail (RFC 8461 §3.2). Immutable value.
struct StsPolicy {
  enum class Mode : std::uint8_t { None, Testing, Enforce };
  static constexpr std::chrono::seconds MaxAge{31557600};
  static constexpr std::size_t MaxBytes = 64 * 1024;
  static constexpr std::size_t MaxPatterns = 200;

  Mode mode = Mode::None;
  std::chrono::seconds maxAge{0};
  std::vector<std::string> mx;  // lower case; "mx.example.org" or "*.example.org"

  // RFC 8461 §4.1: a wildcard stands for exactly one label, the left-most. `host` in lower case.
  bool allows(std::string_view host) const;
  bool operator==(const StsPolicy&) const = default;
};
const char* stsModeWord(StsPolicy::Mode mode);  // "none" "testing" "enforce"

// The id that the TXT records of "_mta-sts.DOMAIN" announce (RFC 8461 §3.1). Nothing: no policy is announced, since
// there is no record, more than one, or one that is not well formed.
std::optional<std::string> stsRecordId(const std::vector<std::string>& records);

// The text of "https://mta-sts.DOMAIN/.well-known/mta-sts.txt", or why it is no policy. Pure.
Result<StsPolicy, std::string> parseStsPolicy(std::string_view text);

}  // namespace postern::net
