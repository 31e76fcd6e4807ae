#include "listd/orders/OrderDesk.h"

#include "core/base/Log.h"
#include "listd/audit/AuditOrders.h"
#include "listd/search/SearchOrders.h"

namespace postern::listd {
namespace {

constexpr std::chrono::milliseconds RoutingWait{1500};

constexpr auto Reads = OrderKind::Reads;
constexpr auto Changes = OrderKind::Changes;
constexpr auto ChangesRouting = OrderKind::ChangesRouting;

// docs/orders.md says what each takes and gives.
constexpr OrderRow Table[] = {
    {"status", Reads, status},
    {"flow", Reads, flow},
    {"domain.add", ChangesRouting, addDomain},
    {"domain.list", Reads, listDomains},
    {"domain.show", Reads, showDomain},
    {"domain.remove", ChangesRouting, removeDomain},
    {"route.add", ChangesRouting, addRoute},
    {"route.list", Reads, listRoutes},
    {"route.remove", ChangesRouting, removeRoute},
    {"list.create", ChangesRouting, createList},
    {"list.list", Reads, listLists},
    {"list.show", Reads, showList},
    {"list.set", Changes, setList},
    {"list.close", ChangesRouting, closeList},
    {"list.readiness", Reads, listReadiness},
    {"member.add", Changes, addMember},
    {"member.remove", Changes, removeMember},
    {"member.list", Reads, listMembers},
    {"member.set", Changes, setMember},
    {"member.import", Changes, importMembers},
    {"member.export", Reads, exportMembers},
    {"key.import", Changes, importMemberKey},
    {"key.list", Reads, listKeys},
    {"key.show", Reads, showKey},
    {"key.confirm", Changes, confirmKey},
    {"key.revoke", Changes, revokeKey},
    {"key.check", Changes, checkKey},
    {"queue.list", Reads, listQueue},
    {"queue.show", Reads, showQueued},
    {"queue.retry", Changes, retryQueued},
    {"queue.hold", Changes, holdQueued},
    {"queue.release", Changes, releaseQueued},
    {"queue.drop", Changes, dropQueued},
    {"trace", Reads, trace},
    {"post.list", Reads, listPosts},
    {"user.setup-link", Changes, makeSetupLink},
    {"user.setup-check", Reads, checkSetupLink},
    {"user.setup", Changes, setUpAccount},
    {"user.authenticate", Changes, authenticate},
    {"user.show", Reads, showUser},
    {"user.list", Reads, listUsers},
};

}  // namespace

// Each subject has its own table; add it here.
const std::vector<std::span<const OrderRow>>& orderTables() {
  static const std::vector<std::span<const OrderRow>> tables = {
      Table,
      auditOrders(),
      searchOrders(),
      exportOrders(),
  };
  return tables;
}

const OrderRow* findOrder(std::string_view name) {
  for (const auto table : orderTables())
    for (const auto& row : table)
      if (row.name == name) return &row;
  return nullptr;
}

nlohmann::json OrderDesk::handle(std::string_view order, const app::Actor& actor, const nlohmann::json& args) {
  const auto* row = findOrder(order);
  if (row == nullptr)
    refuse("usage", "there is no order \"" + std::string(order.substr(0, 100)) + "\"",
           "see docs/orders.md; the asking program may be of another version");
  const OrderCall call{std::string(order), actor, Args(args), {}};
  if (row->kind == Reads) return row->handler(tools_, call);
  try {
    auto result = row->handler(tools_, call);
    if (row->kind == OrderKind::Looks) recordOrder(tools_, call, audit::Outcome::Ok);  // not recorded, not shown
    if (row->kind == ChangesRouting) tools_.gateway.pushRouting(RoutingWait);
    return result;
  } catch (const app::OrderRefused& refused) {
    recordOrder(tools_, call, audit::Outcome::Denied, refused.error().code);
    throw;
  } catch (const std::exception&) {
    recordBroken(call);
    throw;
  }
}

// What broke the order may keep it from being recorded as well; the first error is the one to show.
void OrderDesk::recordBroken(const OrderCall& call) {
  try {
    recordOrder(tools_, call, audit::Outcome::Error, "broken");
  } catch (const std::exception& error) {
    log::error("audit", "a failed order cannot be recorded", {{"order", call.order}, {"error", error.what()}});
  }
}

}  // namespace postern::listd
