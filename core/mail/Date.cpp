#include "core/mail/Date.h"

#include "core/mail/Header.h"
#include "core/mail/Text.h"

#include <array>
#include <cstdio>
#include <vector>

namespace postern::mail {

namespace {

constexpr std::array Days = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
constexpr std::array Months = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

// Words without comments; ":" and "," part them too.
std::vector<std::string> words(std::string_view line) {
  std::vector<std::string> result;
  std::size_t depth = 0;
  bool open = false;
  for (const char c : line) {
    if (c == '(') ++depth;
    const bool parts = depth > 0 || c == ' ' || c == '\t' || c == ',' || c == ':';
    if (c == ')' && depth > 0) --depth;
    if (parts) {
      open = false;
      continue;
    }
    if (!open) result.emplace_back();
    if (result.size() > 9) break;
    open = true;
    result.back() += c;
  }
  return result;
}

std::optional<int> number(std::string_view text, std::size_t minDigits, std::size_t maxDigits) {
  if (text.size() < minDigits || text.size() > maxDigits) return std::nullopt;
  int value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + (c - '0');
  }
  return value;
}

template <class Names>
std::optional<int> indexOf(const Names& names, std::string_view text) {
  for (std::size_t i = 0; i < names.size(); ++i)
    if (equalsIgnoreCase(names[i], text)) return static_cast<int>(i);
  return std::nullopt;
}

std::optional<int> zoneMinutes(std::string_view text) {
  if (text.size() == 5 && (text[0] == '+' || text[0] == '-')) {
    const auto hours = number(text.substr(1, 2), 2, 2);
    const auto minutes = number(text.substr(3, 2), 2, 2);
    if (!hours || !minutes || *minutes > 59) return std::nullopt;
    return (text[0] == '-' ? -1 : 1) * (*hours * 60 + *minutes);
  }
  struct Zone {
    const char* name;
    int hours;
  };
  static constexpr std::array zones = {Zone{"EST", -5}, Zone{"EDT", -4}, Zone{"CST", -6}, Zone{"CDT", -5},
                                       Zone{"MST", -7}, Zone{"MDT", -6}, Zone{"PST", -8}, Zone{"PDT", -7}};
  for (const auto& zone : zones)
    if (equalsIgnoreCase(zone.name, text)) return zone.hours * 60;
  return 0;  // RFC 5322 §4.3: GMT, UT, military and unknown zones count as -0000
}

int fullYear(int year, std::size_t digits) {  // RFC 5322 §4.3
  if (digits == 2) return year < 50 ? year + 2000 : year + 1900;
  return digits == 3 ? year + 1900 : year;
}

}  // namespace

std::string formatDate(TimePoint time) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(std::chrono::floor<std::chrono::seconds>(time - day));
  char text[64];
  std::snprintf(text, sizeof text, "%s, %02u %s %04d %02d:%02d:%02d +0000",
                Days[std::chrono::weekday(day).c_encoding()], static_cast<unsigned>(date.day()),
                Months[static_cast<unsigned>(date.month()) - 1], static_cast<int>(date.year()),
                static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
                static_cast<int>(clock.seconds().count()));
  return text;
}

std::optional<TimePoint> parseDate(std::string_view rawValue) {
  auto parts = words(unfold(rawValue));
  if (!parts.empty() && indexOf(Days, parts.front())) parts.erase(parts.begin());
  if (parts.size() < 5 || parts.size() > 7) return std::nullopt;
  const auto day = number(parts[0], 1, 2);
  const auto month = indexOf(Months, parts[1]);
  const auto year = number(parts[2], 2, 4);
  const auto hour = number(parts[3], 1, 2);
  const auto minute = number(parts[4], 2, 2);
  if (!day || !month || !year || !hour || !minute) return std::nullopt;
  std::size_t next = 5;
  int second = 0;
  if (next < parts.size())
    if (const auto seconds = number(parts[next], 2, 2)) {
      second = *seconds;
      ++next;
    }
  const auto zone = next < parts.size() ? zoneMinutes(parts[next++]) : std::optional(0);
  if (!zone || next != parts.size() || *hour > 23 || *minute > 59 || second > 60) return std::nullopt;

  const std::chrono::year_month_day date(std::chrono::year(fullYear(*year, parts[2].size())),
                                         std::chrono::month(static_cast<unsigned>(*month) + 1),
                                         std::chrono::day(static_cast<unsigned>(*day)));
  if (!date.ok()) return std::nullopt;
  return TimePoint(std::chrono::sys_days(date)) + std::chrono::hours(*hour) + std::chrono::minutes(*minute - *zone) +
         std::chrono::seconds(second == 60 ? 59 : second);
}

}  // namespace postern::mail
