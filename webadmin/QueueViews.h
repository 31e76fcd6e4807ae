#pragma once
#include "core/base/Clock.h"

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

// What the pages of the queue share.
namespace postern::webadmin::views {

std::string queuePath(std::string_view id);  // of a copy, or of a message by its trace id

// A waiting copy as the templates show it.
nlohmann::json queuedCopy(const nlohmann::json& copy, TimePoint now);
nlohmann::json attemptsOf(const nlohmann::json& copy, TimePoint now);

// "bulk" in words for people.
std::string priorityWord(std::string_view priority);

}  // namespace postern::webadmin::views
