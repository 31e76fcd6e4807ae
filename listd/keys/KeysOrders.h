#pragma once
#include "listd/orders/OrderDesk.h"

namespace postern::listd {

std::span<const OrderRow> keysOrders();  // keys.status, keys.rotate, keys.backup

}  // namespace postern::listd
