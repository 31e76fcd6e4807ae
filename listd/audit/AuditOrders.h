#pragma once
#include "listd/orders/OrderDesk.h"

#include <span>

namespace postern::listd {

// audit.*: docs/orders.md.
std::span<const OrderRow> auditOrders();

}  // namespace postern::listd
