#pragma once
#include <algorithm>
#include <array>
#include <string_view>

namespace postern {

// The languages in which the site writes to people (ISO 639-1). The first is the one where nobody chose.
constexpr std::array<std::string_view, 4> Languages = {"en", "de", "fr", "es"};

constexpr bool isLanguage(std::string_view code) {
  return std::find(Languages.begin(), Languages.end(), code) != Languages.end();
}

}  // namespace postern
