#pragma once
#include "listd/orders/OrderDesk.h"

#include <span>

namespace postern::listd {

std::span<const OrderRow> subscriptionOrders();        // subscription.*, ban.*: of owners and administrators
std::span<const OrderRow> ownSubscriptionOrders();     // subscription.mine*: of everybody with an account
std::span<const OrderRow> publicSubscriptionOrders();  // subscribe.*: of anybody, by the token of a mail or without

// member.sync: makes a list what a file says (listd/orders/MemberOrders.cpp). Adds as member.import does, then removes
// plain members whom the file does not name; refused when more than a fifth would go, unless that was confirmed.
nlohmann::json syncMembers(OrderTools& tools, const OrderCall& call);

}  // namespace postern::listd
