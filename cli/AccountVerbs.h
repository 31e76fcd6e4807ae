#pragma once
#include "cli/OrderVerbs.h"

#include <vector>

namespace postern::cli {

// People, their links and tokens.
std::vector<OrderVerb> accountVerbs();

}  // namespace postern::cli
