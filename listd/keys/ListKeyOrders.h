#pragma once
#include "listd/orders/OrderDesk.h"

namespace postern::listd {

// list.key-request, list.key-import, list.key-rotate, list.key-show, list.key-history, list.key-export,
// list.key-publish, list.key-public
std::span<const OrderRow> listKeyOrders();

}  // namespace postern::listd
