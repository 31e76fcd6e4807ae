#pragma once
#include "listd/orders/OrderDesk.h"

#include <span>

namespace postern::listd {

// audit.*: docs/orders.md.
std::span<const OrderRow> auditOrders();
std::span<const OrderRow> auditDutyOrders();  // declared roll-back, change of the key

}  // namespace postern::listd
