#pragma once
#include "listd/orders/OrderDesk.h"

#include <span>

namespace postern::listd {

std::span<const OrderRow> directoryOrders();  // key.lookup, directory.*, trust.*

}  // namespace postern::listd
