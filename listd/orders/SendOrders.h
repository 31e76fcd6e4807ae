#pragma once
#include "listd/orders/OrderDesk.h"

#include <span>

namespace postern::listd {

// mail.preview, mail.send, mail.sent: what people of the site write themselves for recipients elsewhere (decision
// 0026).
std::span<const OrderRow> sendOrders();

}  // namespace postern::listd
