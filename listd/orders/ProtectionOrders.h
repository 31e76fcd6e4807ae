#pragma once
#include "listd/orders/OrderDesk.h"

namespace postern::listd {

// How copies are protected: list.protection, list.protect, list.plan, domain.protection, domain.protect.
std::span<const OrderRow> protectionOrders();

}  // namespace postern::listd
