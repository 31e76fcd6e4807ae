#pragma once
#include "cli/OrderVerbs.h"

namespace postern::cli {

std::vector<OrderVerb> webhookVerbs();

}  // namespace postern::cli
