#pragma once
#include "listd/orders/OrderDesk.h"

#include <span>

namespace postern::listd {

// The work queue of approvals.
std::span<const OrderRow> requestOrders();

}  // namespace postern::listd
