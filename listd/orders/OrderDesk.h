#pragma once
#include "core/app/Orders.h"
#include "listd/orders/OrderTools.h"

#include <nlohmann/json.hpp>
#include <span>
#include <string_view>
#include <vector>

namespace postern::listd {

// What an order may do.
enum class OrderKind {
  Reads,
  Looks,           // changes nothing, but is recorded all the same: content, audit, exports
  Changes,         // recorded, also when it is refused
  ChangesRouting,  // … and the gateway gets the new routing view before the answer
};

// Who may give an order.
struct Access {
  app::Roles roles = app::Role::Admin;  // one of them suffices; none: anybody, also before sign-in
  bool stepUp = false;                  // only within five minutes of signing in again
};

struct OrderRow {
  std::string_view name;
  OrderKind kind;
  OrderHandler handler;
  Access access = {};
};

// All orders (docs/orders.md), one table for each subject.
const std::vector<std::span<const OrderRow>>& orderTables();
const OrderRow* findOrder(std::string_view name);

// Takes orders: finds the handler, records refusals of changing orders, and sends the routing view on. When the gateway
// is away the order stands and the view is sent once it is back. Threads: safe for all.
class OrderDesk {
public:
  explicit OrderDesk(OrderTools& tools) : tools_(tools) {}
  nlohmann::json handle(std::string_view order, const app::Actor& actor, const nlohmann::json& args);

private:
  void recordBroken(const OrderCall& call);

  OrderTools& tools_;
};

}  // namespace postern::listd
