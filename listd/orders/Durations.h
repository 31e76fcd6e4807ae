#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace postern::listd {

// "90s" "5m" "4h" "2d", or a number of seconds, as seconds. Refuses all else, and what is 0 or beyond a year.
std::uint32_t parseDuration(std::string_view text);
std::vector<std::uint32_t> parseDurations(std::string_view text);  // with commas between
std::string durationText(std::uint32_t seconds);                   // in the largest unit that fits: "5m"

}  // namespace postern::listd
