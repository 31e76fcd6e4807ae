#include "webadmin/Devices.h"

#include <array>
#include <utility>

namespace postern::webadmin {
namespace {

using Names = std::pair<std::string_view, std::string_view>;

// In this order: many browsers name others, too.
constexpr std::array<Names, 5> Browsers = {
    {{"Edg/", "Edge"}, {"OPR/", "Opera"}, {"Firefox/", "Firefox"}, {"Chrome/", "Chrome"}, {"Safari/", "Safari"}}};
constexpr std::array<Names, 6> Systems = {{{"Android", "Android"},
                                           {"iPhone", "iPhone"},
                                           {"iPad", "iPad"},
                                           {"Windows", "Windows"},
                                           {"Mac OS", "macOS"},
                                           {"Linux", "Linux"}}};

template <std::size_t Count>
std::string_view firstIn(const std::array<Names, Count>& names, std::string_view text, std::string_view otherwise) {
  for (const auto& [mark, name] : names)
    if (text.find(mark) != text.npos) return name;
  return otherwise;
}

}  // namespace

std::string deviceWords(std::string_view userAgent) {
  return std::string(firstIn(Browsers, userAgent, "A browser")) + " on " +
         std::string(firstIn(Systems, userAgent, "an unknown system"));
}

}  // namespace postern::webadmin
