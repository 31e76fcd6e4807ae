#pragma once
#include "core/app/Orders.h"
#include "listd/orders/OrderTools.h"

#include <nlohmann/json.hpp>
#include <optional>
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
  // Whom only the role owner lets in must own the list that this argument names. Empty: the handler looks itself
  // (call.person.mayTouch).
  std::string_view ownList = "list";
};
inline constexpr Access Anybody{app::Roles(), false};
inline constexpr Access AnySignedIn{app::Roles::fromBits(0xFF), false, ""};

struct OrderRow {
  std::string_view name;
  OrderKind kind;
  OrderHandler handler;
  Access access = {};
};

// All orders (docs/orders.md), one table for each subject.
const std::vector<std::span<const OrderRow>>& orderTables();
const OrderRow* findOrder(std::string_view name);

// Why a person may not give this order with these arguments; nothing when it may be given. `steppedUp`: signed in again
// within five minutes, in this session. Pure, so that a test can ask it for every order and every role.
std::optional<app::OrderError> denialOf(const OrderRow& row, const Person& person, const nlohmann::json& args,
                                        bool steppedUp);

// Takes orders: proves who gives them and whether that person may, finds the handler, records refusals of changing
// orders, and sends the routing view on. When the gateway is away the order stands and the view is sent once it is
// back. Threads: safe for all.
class OrderDesk {
public:
  explicit OrderDesk(OrderTools& tools) : tools_(tools) {}
  nlohmann::json handle(std::string_view order, const app::Actor& actor, const nlohmann::json& args);

private:
  struct Standing {
    Person person;
    bool steppedUp = false;
  };
  Standing standingOf(const app::Actor& actor);
  void recordDenied(const OrderCall& call, const app::OrderError& denial);
  OrderTools& tools_;
};

}  // namespace postern::listd
