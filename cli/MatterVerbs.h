#pragma once
#include "cli/OrderVerbs.h"

namespace postern::cli {

// Matters, custodians, holds, approvals, erasure.
std::vector<OrderVerb> matterVerbs();

}  // namespace postern::cli
