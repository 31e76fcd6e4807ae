#pragma once
#include "cli/OrderVerbs.h"

#include <vector>

namespace postern::cli {

std::vector<OrderVerb> sourceVerbs();  // source …

// What a sync did or would do.
void renderSync(std::ostream& out, const nlohmann::json& result);

}  // namespace postern::cli
