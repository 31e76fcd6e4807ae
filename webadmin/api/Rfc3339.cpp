#include "core/base/Clock.h"
#include "webadmin/api/Api.h"

#include <regex>

namespace postern::webadmin {

// RFC 3339 §5.6; a leap second is taken for the second behind it.
std::optional<std::int64_t> microsFromRfc3339(std::string_view text) {
  static const std::regex Pattern(
      R"((\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(?:[Zz]|([+-])(\d\d):(\d\d)))");
  std::cmatch match;
  if (text.size() > 40 || !std::regex_match(text.data(), text.data() + text.size(), match, Pattern))
    return std::nullopt;
  const auto number = [&](std::size_t group) { return match[group].matched ? std::stoi(match[group].str()) : 0; };
  using namespace std::chrono;
  const auto day =
      year(number(1)) / month(static_cast<unsigned>(number(2))) / std::chrono::day(static_cast<unsigned>(number(3)));
  if (!day.ok() || number(4) > 23 || number(5) > 59 || number(6) > 60 || number(9) > 23 || number(10) > 59)
    return std::nullopt;
  auto fraction = match[7].str();
  fraction.resize(6, '0');
  const auto offset = hours(number(9)) + minutes(number(10));
  const TimePoint local =
      sys_days(day) + hours(number(4)) + minutes(number(5)) + seconds(number(6)) + microseconds(std::stoi(fraction));
  return toMicros(match[8].str() == "-" ? local + offset : local - offset);
}

}  // namespace postern::webadmin
