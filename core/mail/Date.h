#pragma once
#include "core/base/Clock.h"

#include <optional>
#include <string>
#include <string_view>

namespace postern::mail {

// "Sun, 01 Mar 2026 12:00:00 +0000" (RFC 5322 §3.3), always in UTC.
std::string formatDate(TimePoint time);

// Reads a date-time with the obsolete forms (comments, two-digit years, named zones). Nothing if it is none or its
// fields are out of range; a leap second is taken as the second before it.
std::optional<TimePoint> parseDate(std::string_view rawValue);

}  // namespace postern::mail
