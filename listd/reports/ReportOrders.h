#pragma once
#include "listd/orders/OrderDesk.h"

namespace postern::listd {

std::span<const OrderRow> reportOrders();  // report, list.content-access, evidence.pack

}  // namespace postern::listd
