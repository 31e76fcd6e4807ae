#pragma once
#include "listd/orders/OrderTools.h"

#include <nlohmann/json.hpp>

namespace postern::listd {

// What is wrong with the records of the site and what to do about it, for "problems" of the order status. Nothing of
// it tells a subject, a person or a hold. Cheap: no scan.
void addRecordProblems(nlohmann::json& problems, OrderTools& tools, SiteTables& tables, TimePoint now);

}  // namespace postern::listd
