#include "listd/orders/Durations.h"

#include "listd/orders/Args.h"

#include <charconv>
#include <utility>

namespace postern::listd {

namespace {

constexpr std::uint32_t Longest = 366 * 24 * 3600;
constexpr std::pair<char, std::uint32_t> Units[] = {{'d', 24 * 3600}, {'h', 3600}, {'m', 60}, {'s', 1}};

}  // namespace

std::uint32_t parseDuration(std::string_view text) {
  std::uint64_t factor = 1;
  auto digits = text;
  for (const auto& [letter, seconds] : Units) {
    if (!text.ends_with(letter)) continue;
    factor = seconds;
    digits.remove_suffix(1);
  }
  std::uint32_t number = 0;
  const auto* end = digits.data() + digits.size();
  const auto read = std::from_chars(digits.data(), end, number);
  if (read.ec != std::errc() || read.ptr != end || number == 0 || number * factor > Longest)
    refuse("invalid", "\"" + std::string(text) + "\" is no length of time", "give it as in 90s, 5m, 4h or 2d");
  return static_cast<std::uint32_t>(number * factor);
}

std::vector<std::uint32_t> parseDurations(std::string_view text) {
  std::vector<std::uint32_t> all;
  for (bool more = true; more;) {
    const auto comma = std::min(text.find(','), text.size());
    more = comma < text.size();
    all.push_back(parseDuration(text.substr(0, comma)));
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return all;
}

std::string durationText(std::uint32_t seconds) {
  for (const auto& [letter, unit] : Units)
    if (seconds % unit == 0) return std::to_string(seconds / unit) + letter;
  return {};
}

}  // namespace postern::listd
