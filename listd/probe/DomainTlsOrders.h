#pragma once
#include "listd/orders/OrderDesk.h"

#include <span>

namespace postern::listd {

// probe.start, probe.show, domain.trust, domain.distrust, domain.unmark, domain.marks
std::span<const OrderRow> domainTlsOrders();

}  // namespace postern::listd
