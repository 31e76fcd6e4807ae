#pragma once
#include "cli/OrderVerbs.h"

namespace postern::cli {

std::vector<OrderVerb> queueVerbs();  // queue and destination

}  // namespace postern::cli
