#pragma once
#include "cli/OrderVerbs.h"

namespace postern::cli {

std::vector<OrderVerb> quarantineVerbs();

}  // namespace postern::cli
