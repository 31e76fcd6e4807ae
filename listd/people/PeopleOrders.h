#pragma once
#include "listd/orders/OrderDesk.h"

#include <span>

namespace postern::listd {

// The orders about people, by subject (docs/orders.md).
std::span<const OrderRow> signInOrders();   // user.*, passkey.sign-in-options: before anybody is signed in
std::span<const OrderRow> accountOrders();  // account.*, access.*
std::span<const OrderRow> factorOrders();   // passkey.*, factor.*, recovery.*, password.*, session.step-up
std::span<const OrderRow> sessionOrders();  // session.*
std::span<const OrderRow> tokenOrders();    // token.*, break-glass.*

}  // namespace postern::listd
