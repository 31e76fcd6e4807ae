#pragma once
#include "core/base/Clock.h"
#include "core/base/Result.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace postern::records {

// Ends of the time line, for "always kept until" results: no retain rule applies; kept for ever or never due.
constexpr TimePoint Earliest = TimePoint::min();
constexpr TimePoint Never = TimePoint::max();

// How long a rule lasts. Days are 24 hours; months and years go by the calendar (UTC), the day clamped to the end of
// the month: 2024-02-29 and 1 year is 2025-02-28.
// Invariant of parsed periods: a count of 1 to MaxCount, or Forever with 0.
struct Period {
  static constexpr std::uint32_t MaxCount = 99'999;
  enum class Unit { Days, Months, Years, Forever };
  Unit unit = Unit::Forever;
  std::uint32_t count = 0;

  // "90 days", "18 months", "7 years", "forever" (singular forms too). The error says what is wrong.
  static Result<Period, std::string> parse(std::string_view text);
  std::string text() const;
  // start + period; Never for Forever, for starts outside of the years 1 to 9999, and beyond the year 9999.
  TimePoint after(TimePoint start) const;
  // Whether it ends no earlier than the other from every start; false also where that depends on the calendar.
  bool lastsAtLeast(const Period& other) const;

  bool operator==(const Period&) const = default;
};

// For people: "2031-01-10", with the time of day when it is not midnight; "never" for Never, "" for Earliest.
std::string dayText(TimePoint time);

}  // namespace postern::records
