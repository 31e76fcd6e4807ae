#include "core/records/Period.h"

#include <algorithm>
#include <charconv>
#include <cstdio>

namespace postern::records {

namespace {

using std::chrono::days;
using std::chrono::sys_days;

constexpr TimePoint FirstStart = sys_days(std::chrono::year{1} / 1 / 1);
constexpr sys_days EndOfCalendar = sys_days(std::chrono::year{10'000} / 1 / 1);
constexpr std::uint32_t MostDays = 3'652'059;  // of the years 1 to 9999
constexpr std::uint64_t MostMonths = 12 * 9'999;

sys_days plusMonths(sys_days start, std::uint64_t count) {
  const std::chrono::year_month_day date(start);
  const auto month = date.year() / date.month() + std::chrono::months(count);
  return month / std::min(date.day(), (month / std::chrono::last).day());
}

std::uint64_t monthsOf(const Period& period) {
  return std::uint64_t{period.count} * (period.unit == Period::Unit::Years ? 12 : 1);
}

// The fewest and the most days that so many months can have.
std::uint64_t fewestDays(std::uint64_t months) {
  return months / 12 * 365 + months % 12 * 28;
}
std::uint64_t mostDays(std::uint64_t months) {
  return months / 12 * 366 + months % 12 * 31;
}

}  // namespace

Result<Period, std::string> Period::parse(std::string_view text) {
  if (text == "forever") return Period{};
  const auto bad = [&] {
    return Unexpected<std::string>("\"" + std::string(text.substr(0, 40)) +
                                   "\" is no period: write \"90 days\", \"18 months\", \"7 years\" or \"forever\"");
  };
  Period period;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), period.count);
  if (error != std::errc{}) return bad();
  const std::string_view rest(end, static_cast<std::size_t>(text.data() + text.size() - end));
  if (rest == " days" || rest == " day")
    period.unit = Unit::Days;
  else if (rest == " months" || rest == " month")
    period.unit = Unit::Months;
  else if (rest == " years" || rest == " year")
    period.unit = Unit::Years;
  else
    return bad();
  if (period.count == 0) return Unexpected<std::string>("a period of nothing is no period; the shortest is \"1 day\"");
  if (period.count > MaxCount) return Unexpected<std::string>("the period is too long; write \"forever\"");
  return period;
}

std::string Period::text() const {
  const char* word = unit == Unit::Days ? " day" : unit == Unit::Months ? " month" : " year";
  if (unit == Unit::Forever) return "forever";
  return std::to_string(count) + word + (count == 1 ? "" : "s");
}

TimePoint Period::after(TimePoint start) const {
  if (unit == Unit::Forever || start < FirstStart || start >= TimePoint(EndOfCalendar)) return Never;
  const auto day = std::chrono::floor<days>(start);
  sys_days end;
  if (unit == Unit::Days) {
    if (count > MostDays) return Never;
    end = day + days(count);
  } else {
    const auto months = monthsOf(*this);
    if (months > MostMonths) return Never;
    end = plusMonths(day, months);
  }
  return end < EndOfCalendar ? end + (start - day) : Never;
}

bool Period::lastsAtLeast(const Period& other) const {
  if (unit == Unit::Forever) return true;
  if (other.unit == Unit::Forever) return false;
  if (unit == Unit::Days) return count >= (other.unit == Unit::Days ? other.count : mostDays(monthsOf(other)));
  const auto months = monthsOf(*this);
  return other.unit == Unit::Days ? fewestDays(months) >= other.count : months >= monthsOf(other);
}

std::string dayText(TimePoint time) {
  if (time == Never) return "never";
  if (time == Earliest) return {};
  const auto day = std::chrono::floor<days>(time);
  const std::chrono::year_month_day date(day);
  char text[40];
  std::snprintf(text, sizeof text, "%04d-%02u-%02u", static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                static_cast<unsigned>(date.day()));
  if (time == TimePoint(day)) return text;
  const auto whole = formatRfc3339(time);
  return std::string(text) + whole.substr(whole.find('T'));
}

}  // namespace postern::records
