#pragma once
#include "core/app/Orders.h"
#include "listd/orders/OrderTools.h"

#include <nlohmann/json.hpp>
#include <string_view>

namespace postern::listd {

// What an order may do.
enum class OrderKind {
  Reads,
  Changes,         // recorded, also when it is refused
  ChangesRouting,  // … and the gateway gets the new routing view before the answer
};

struct OrderRow {
  std::string_view name;
  OrderKind kind;
  OrderHandler handler;
};

// All orders (docs/orders.md), by name.
std::span<const OrderRow> orderTable();

// Takes orders: finds the handler, records refusals of changing orders, and sends the routing view on. When the gateway
// is away the order stands and the view is sent once it is back. Threads: safe for all.
class OrderDesk {
public:
  explicit OrderDesk(OrderTools& tools) : tools_(tools) {}
  nlohmann::json handle(std::string_view order, const app::Actor& actor, const nlohmann::json& args);

private:
  OrderTools& tools_;
};

}  // namespace postern::listd
