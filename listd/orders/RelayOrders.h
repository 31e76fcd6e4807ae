#pragma once
#include "listd/orders/OrderDesk.h"

#include <span>

namespace postern::listd {

std::span<const OrderRow> relayOrders();  // relay.add, relay.list, relay.remove

}  // namespace postern::listd
