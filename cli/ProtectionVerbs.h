#pragma once
#include "cli/OrderVerbs.h"

namespace postern::cli {

std::vector<OrderVerb> protectionVerbs();  // list protection|protect|plan, domain protection|protect

}  // namespace postern::cli
