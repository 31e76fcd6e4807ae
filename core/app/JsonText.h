#pragma once
#include <cstddef>
#include <nlohmann/json.hpp>
#include <string_view>

namespace postern::app {

// Deeper than any order or answer needs. JSON values are copied and written by recursion: each level takes stack.
constexpr std::size_t MostNested = 64;

// JSON from others; discarded (json::is_discarded, so no object and no array) when it is none or nested too deeply.
nlohmann::json parseJson(std::string_view text);

}  // namespace postern::app
