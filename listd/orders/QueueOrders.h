#pragma once
#include "listd/orders/OrderDesk.h"

#include <span>

namespace postern::listd {

std::span<const OrderRow> queueOrders();        // queue.*, but for pause and resume
std::span<const OrderRow> destinationOrders();  // destination.*, queue.pause, queue.resume

}  // namespace postern::listd
