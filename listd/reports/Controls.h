#pragma once
#include "listd/reports/Report.h"

#include <string>
#include <string_view>
#include <vector>

namespace postern::listd {

// What a live look at the site found. A look that cannot be done is not shown.
struct CheckResult {
  bool shown = false;
  std::string value;  // what stands in the site now
  std::string proof;  // how it was looked at, and what follows
};

// The names of the checks that controls.json may use.
std::vector<std::string_view> checkNames();
// Never throws: what cannot be computed says so and is not shown.
CheckResult runCheck(std::string_view name, const ReportAsk& ask);

// listd/reports/controls.json: [{id title kind text checks[{setting check}] reports[] tests[] organisation}].
const nlohmann::json& controls();

// The map with the site's values: each control gets "shown" (all of its checks are) and its checks "value", "shown" and
// "proof". A control without a check is not shown.
nlohmann::json controlMap(const ReportAsk& ask);
// As a page for people and printers.
std::string controlPage(const nlohmann::json& map);

}  // namespace postern::listd
