#pragma once
#include "cli/OrderVerbs.h"

#include <vector>

namespace postern::cli {

std::vector<OrderVerb> subscriptionVerbs();  // subscription …, ban …

}  // namespace postern::cli
