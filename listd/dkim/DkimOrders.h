#pragma once
#include "listd/orders/OrderDesk.h"

namespace postern::listd {

// dkim.add, dkim.list, dkim.show, dkim.rotate, dkim.check, dkim.retire, dkim.set, dkim.switches
std::span<const OrderRow> dkimOrders();

// What is wrong with the keys that sign mail, and what to publish: {what do}, for status.
void addDkimProblems(nlohmann::json& problems, SiteContext& context, SiteTables& tables, TimePoint now);

}  // namespace postern::listd
