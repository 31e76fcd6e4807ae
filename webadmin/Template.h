#pragma once
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

namespace postern::webadmin {

// Draws the embedded templates (mustache, logic-less). Every value is escaped; only layout.html may place finished
// HTML (`{{{content}}}`), which a test watches. Templates named `part-…` can be included by any:
// `{{>part-protection}}`. A view is JSON: strings, numbers, booleans, arrays and objects. Null, false, "" and [] count
// as absent in a section; a number is text, also 0. Threads: safe for all. Errors: throws Error(Invariant) for a
// template that does not exist or does not parse.
std::string drawTemplate(std::string_view name, const nlohmann::json& view);

// The page inside the layout. `frame` is the view of layout.html.
std::string drawPage(std::string_view name, const nlohmann::json& view, nlohmann::json frame);

}  // namespace postern::webadmin
