#pragma once
#include "listd/orders/OrderDesk.h"

#include <span>

namespace postern::listd {

// mail.submit and mail.status: programs that send as an account of the site (docs/mail-api.md). The same ladder,
// policies and limits as mail.send, which they are made of.
std::span<const OrderRow> submitOrders();

}  // namespace postern::listd
