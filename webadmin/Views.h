#pragma once
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/Clock.h"

// Parts of views that several pages share. The JSON of listd is read with defaults, so that a field that an older
// listd does not give leaves a gap on the page and not an error.
namespace postern::webadmin::views {

using nlohmann::json;

std::string text(const json& object, std::string_view field);
std::uint64_t number(const json& object, std::string_view field);
bool flag(const json& object, std::string_view field);
const json& part(const json& object, std::string_view field);  // an object or array; an empty object if absent

// {"absolute", "iso", "relative"} of a time field; null when it is absent or 0.
json time(const json& object, std::string_view field, TimePoint now);
json time(TimePoint at, TimePoint now);

json badge(std::string_view stateWord);  // {"text", "tone"}

// {"name", "address", "path", "secure", "open", "closed", "description", "members", "ready", "withheld", "bar", …}
json listSummary(const json& list, TimePoint now);

// A bar by protection with its legend: {"total", "parts": [{"name", "title", "count", "x", "width"}]}
json protectionBar(const std::vector<std::pair<std::string, std::uint64_t>>& counts);

// One row of a table of posts.
json postRow(const json& post, TimePoint now);

// What listd refused, for the head of a form: {"message", "hint"}.
json refusal(const std::string& message, const std::string& hint);

// RFC 4180, with values that a spreadsheet would run as a formula made harmless.
std::string csvLine(const std::vector<std::string>& cells);

std::string listPath(std::string_view address);
std::string memberPath(std::string_view list, std::string_view address);
std::string postPath(std::string_view id);

}  // namespace postern::webadmin::views
