#pragma once
#include "core/app/Orders.h"
#include "core/base/Secret.h"
#include "listd/orders/OrderTools.h"

#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
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
//
// handleFrom() is the outer door: which kinds of actors are believed depends on where the order came in. From the web
// process: "web" with the secret of a session, "api" with a token, "system". From the command line: "api", and "cli"
// with the command key, which the web process cannot read. What else is claimed is refused and recorded
// (docs/decisions/0013, 0020).
class OrderDesk {
public:
  enum class Entrance { Web, CommandLine };

  explicit OrderDesk(OrderTools& tools, Secret commandKey = {}) : tools_(tools), commandKey_(std::move(commandKey)) {}
  nlohmann::json handleFrom(Entrance entrance, std::string_view order, const app::Actor& actor,
                            const nlohmann::json& args);
  nlohmann::json handle(std::string_view order, const app::Actor& actor, const nlohmann::json& args);

private:
  struct Standing {
    Person person;
    bool steppedUp = false;
    std::string claimed;  // the account that an actor without a session said it was; empty: there is no such
  };
  Standing standingOf(const app::Actor& actor);
  void requireUnblocked(const app::Actor& actor);
  void noteToken(const app::Actor& actor, const Person& person);
  bool believes(Entrance entrance, const app::Actor& actor) const;
  void recordDenied(const OrderCall& call, const app::OrderError& denial);
  void recordBroken(const OrderCall& call);

  OrderTools& tools_;
  const Secret commandKey_;
};

}  // namespace postern::listd
