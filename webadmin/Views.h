#pragma once
#include "core/app/Orders.h"
#include "core/base/Clock.h"

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

// Parts of views that several pages share. The JSON of listd is read with defaults, so that a field that an older
// listd does not give leaves a gap on the page and not an error.
namespace postern::webadmin::views {

using nlohmann::json;

inline constexpr int AllLists = 10000;  // the most that one order gives

std::string text(const json& object, std::string_view field);
std::uint64_t number(const json& object, std::string_view field);
bool flag(const json& object, std::string_view field);
// An object or array inside `object`, which must outlive the result; an empty object if absent.
const json& part(const json& object, std::string_view field);
const json& part(json&& object, std::string_view field) = delete;

// {"absolute", "iso", "relative"} of a time field; null when it is absent or 0.
json time(const json& object, std::string_view field, TimePoint now);
json time(TimePoint at, TimePoint now);

json badge(std::string_view stateWord);  // {"text", "tone"}

// {"name", "address", "path", "secure", "open", "closed", "description", "members", "ready", "withheld", "bar", …}
json listSummary(const json& list, TimePoint now);

// A bar by protection with its legend: {"total", "parts": [{"name", "title", "count", "x", "width"}]}
json protectionBar(const std::vector<std::pair<std::string, std::uint64_t>>& counts);

// The choices of a form: [{"value", "label", "chosen"}].
json options(const std::string& chosen, std::initializer_list<std::pair<const char*, std::string>> all);
json classOptions(const std::string& chosen);

// One row of a table of posts.
json postRow(const json& post, TimePoint now);

// What was refused, for the head of a form: {"message", "hint"}. An order that failed for want of listd or by a fault
// is no matter of the form: it is thrown on, for the error page; so is one that wants a new proof of the person.
json refusal(const std::string& message, const std::string& hint);
json refusal(const app::OrderRefused& refused);

// RFC 4180, with values that a spreadsheet would run as a formula made harmless.
std::string csvLine(const std::vector<std::string>& cells);

std::string listPath(std::string_view address);
std::string memberPath(std::string_view list, std::string_view address);
std::string postPath(std::string_view id);

}  // namespace postern::webadmin::views
