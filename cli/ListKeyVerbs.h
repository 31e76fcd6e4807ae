#pragma once
#include "cli/OrderVerbs.h"

namespace postern::cli {

std::vector<OrderVerb> listKeyVerbs();  // list key-request|key-import|key-rotate|key-show|key-history|…

}  // namespace postern::cli
