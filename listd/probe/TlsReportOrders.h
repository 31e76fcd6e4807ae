#pragma once
#include "listd/orders/OrderDesk.h"

#include <span>

namespace postern::listd {

// tlsrpt.list, tlsrpt.show, tlsrpt.days
std::span<const OrderRow> tlsReportOrders();

}  // namespace postern::listd
