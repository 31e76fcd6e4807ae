#pragma once
#include "cli/Context.h"

#include <string>

namespace postern::cli {

// `postern policy check` and `test`. An empty folder means that of the site.
Exit checkPolicies(const Context& context, const std::string& folder);
Exit testPolicies(const Context& context, const std::string& folder);

}  // namespace postern::cli
