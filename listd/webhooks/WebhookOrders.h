#pragma once
#include "listd/orders/OrderDesk.h"

namespace postern::listd {

// webhook.add … webhook.remove: by administrators.
std::span<const OrderRow> webhookOrders();

}  // namespace postern::listd
