#pragma once
#include "cli/OrderVerbs.h"

#include <vector>

namespace postern::cli {

// What waits for pick-up, and how lists use it.
std::vector<OrderVerb> pickupVerbs();

}  // namespace postern::cli
