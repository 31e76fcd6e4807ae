#pragma once
#include "cli/OrderVerbs.h"

#include <vector>

namespace postern::cli {

std::vector<OrderVerb> tlsReportVerbs();  // tlsrpt list, show, days

}  // namespace postern::cli
