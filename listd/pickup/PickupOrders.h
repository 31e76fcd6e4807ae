#pragma once
#include "listd/orders/OrderDesk.h"
#include "listd/pickup/PickupStore.h"

#include <span>

namespace postern::listd {

// The orders of pick-up (docs/orders.md): those of the site's people, and those of recipients before they are signed
// in, when they read, and about what is their own.
std::span<const OrderRow> pickupOrders();
std::span<const OrderRow> pickupVisitOrders();
std::span<const OrderRow> pickupReadOrders();
std::span<const OrderRow> pickupOwnOrders();
std::span<const OrderRow> pickupQuestionOrders();

// Ends items that wait, with their keys. How many.
std::size_t recallPickups(OrderTools& tools, const OrderCall& call, const std::vector<PickupItem>& items);

// Mails a fresh link of the item, which ends older ones.
void mailPickupLink(const OrderTools& tools, SiteTables& tables, const PickupItem& item);

// Mails those who look after the list that a recipient reported a problem: where to look, never what it is.
void tellOfProblem(const OrderTools& tools, SiteTables& tables, const PickupItem& item, std::string_view list);

// A reply of a recipient goes out as a post does: planned, sealed by the ladder, never plain. Gives the post's id.
std::uint64_t sendPickupReply(OrderTools& tools, const PickupItem& item, const std::string& text, bool toList);

}  // namespace postern::listd
