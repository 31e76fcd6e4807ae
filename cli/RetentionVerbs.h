#pragma once
#include "cli/OrderVerbs.h"

#include <vector>

namespace postern::cli {

// postern retention …
std::vector<OrderVerb> retentionVerbs();

}  // namespace postern::cli
