#pragma once
#include "cli/OrderVerbs.h"

namespace postern::cli {

// report show, report content-access.
std::vector<OrderVerb> reportVerbs();

}  // namespace postern::cli
