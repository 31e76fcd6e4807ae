#pragma once
#include "cli/OrderVerbs.h"

namespace postern::cli {

std::vector<OrderVerb> directoryVerbs();  // directory, trust, key lookup

}  // namespace postern::cli
