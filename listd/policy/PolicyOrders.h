#pragma once
#include "listd/orders/OrderDesk.h"

namespace postern::listd {

// Policy sets: policy.history … policy.rollback. Administrators change what is in force; the record-keepers look.
std::span<const OrderRow> policyOrders();
// The sets that policies ask: policy.sets … policy.set-import.
std::span<const OrderRow> policySetOrders();
// What would be: policy.explain, policy.shadow…, policy.replay.
std::span<const OrderRow> policyTrialOrders();

}  // namespace postern::listd
