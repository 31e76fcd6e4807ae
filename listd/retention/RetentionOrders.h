#pragma once
#include "listd/orders/OrderDesk.h"
#include "listd/retention/Assessment.h"

#include <span>

namespace postern::listd {

// rule.*, event.*: docs/orders.md.
std::span<const OrderRow> ruleOrders();
// what-if.*, retention.*, certificate.*: docs/orders.md.
std::span<const OrderRow> retentionOrders();
// object.hide, object.label, object.unlabel, review.*: docs/orders.md.
std::span<const OrderRow> objectOrders();

// The retention of this site; refuses the order where it does not run, as in tests of other orders.
Retention& requireRetention(OrderTools& tools);
JobRunner& requireJobs(OrderTools& tools);
std::uint64_t objectOf(const Args& args, std::string_view name = "object");
TimePoint timeOr(const Args& args, std::string_view name, TimePoint fallback);
// A draft of a change: "rule" and "id", or "remove".
RuleDraft draftOf(SiteTables& tables, const Args& args, TimePoint now);

}  // namespace postern::listd
