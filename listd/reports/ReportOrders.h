#pragma once
#include "listd/orders/OrderDesk.h"

namespace postern::listd {

std::span<const OrderRow> reportOrders();  // report, report.delivery, list.content-access, evidence.*

}  // namespace postern::listd
