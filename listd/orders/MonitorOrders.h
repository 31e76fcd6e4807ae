#pragma once
#include "listd/orders/OrderDesk.h"

#include <span>

namespace postern::listd {

// health, metrics and config.state: what monitors ask by way of webadmin, about the site as a whole and nobody in it.
std::span<const OrderRow> monitorOrders();

// Webadmin asks for health every 15 seconds; it has not for long.
bool webIsAway();

}  // namespace postern::listd
