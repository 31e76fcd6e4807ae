#pragma once
#include "listd/orders/OrderDesk.h"

#include <span>

namespace postern::listd {

std::span<const OrderRow> hostnameOrders();  // hostname.list, hostname.show

}  // namespace postern::listd
