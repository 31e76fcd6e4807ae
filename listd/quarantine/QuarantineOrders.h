#pragma once
#include "listd/orders/OrderDesk.h"

namespace postern::listd {

// quarantine.list … quarantine.untrust: by administrators, who see no subject, and by the owners of lists, for messages
// that are for lists of theirs alone.
std::span<const OrderRow> quarantineOrders();

}  // namespace postern::listd
