#pragma once
#include "cli/OrderVerbs.h"

#include <vector>

namespace postern::cli {

std::vector<OrderVerb> dkimVerbs();  // dkim add, list, show, rotate, check, retire, set, switches

}  // namespace postern::cli
