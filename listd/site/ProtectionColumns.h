#pragma once
#include "listd/plan/LadderRules.h"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace postern::listd {

// How the settings of a ladder stand in the tables of lists and domains. Reading throws Error(Store) for what Postern
// never writes: a ladder that is not understood must stop mail, not let it out.
const char* floorWord(std::optional<app::Protection> floor);  // "" for none
std::optional<app::Protection> readFloor(std::string_view word);
std::vector<app::Protection> readRungs(std::string_view words);
std::int64_t minutesOf(std::optional<std::chrono::minutes> time);  // -1 for none
std::optional<std::chrono::minutes> readMinutes(std::int64_t minutes);

}  // namespace postern::listd
