#include "listd/orders/HostnameOrders.h"

#include "core/mail/Text.h"
#include "listd/orders/OrderTools.h"
#include "listd/orders/Views.h"

namespace postern::listd {

using nlohmann::json;

namespace {

constexpr std::chrono::milliseconds GatewayWait{3000};

// The gateway alone knows: it has the certificates, and it sees who comes.
std::vector<app::ServerNameUse> askGateway(OrderTools& tools) {
  auto names = tools.gateway.ask([](app::GatewayLink& link) { return link.serverNames(); }, GatewayWait);
  if (!names)
    refuse("unavailable", "the gateway does not answer, and it alone knows who uses which name",
           "look whether postern-gateway runs, then try again");
  return std::move(*names);
}

const char* stateOf(const app::ServerNameUse& name) {
  if (!name.retired) return name.retires.empty() ? "in-use" : "retiring";
  return name.afterwards == "refuse" ? "refused" : "retired";
}

json viewOf(const app::ServerNameUse& name) {
  std::uint64_t sessions = 0;
  std::uint64_t messages = 0;
  std::uint64_t refused = 0;
  for (const auto& day : name.days) {
    sessions += day.sessions;
    messages += day.messages;
    refused += day.refused;
  }
  return {{"name", name.name},
          {"state", stateOf(name)},
          {"retires", name.retires},
          {"afterwards", name.afterwards},
          {"addresses", name.addresses},
          {"hasCertificate", name.hasCertificate},
          {"certificateEndsAt", toMicros(name.certificateEnds)},
          {"certificateProblem", name.certificateProblem},
          {"lastUseAt", toMicros(name.lastUse)},
          {"sessions", sessions},
          {"messages", messages},
          {"refused", refused}};
}

json listNames(OrderTools& tools, const OrderCall&) {
  auto items = json::array();
  for (const auto& name : askGateway(tools)) items.push_back(viewOf(name));
  return pageOf(std::move(items), {});
}

json showName(OrderTools& tools, const OrderCall& call) {
  const auto wanted = mail::lowerAscii(call.args.text("name", 253));
  for (const auto& name : askGateway(tools)) {
    if (name.name != wanted) continue;
    auto view = viewOf(name);
    auto networks = json::array();
    for (const auto& one : name.networks)
      networks.push_back({{"network", one.network},
                          {"lastUseAt", toMicros(one.lastUse)},
                          {"sessions", one.sessions},
                          {"messages", one.messages}});
    auto days = json::array();
    for (const auto& one : name.days)
      days.push_back(
          {{"day", one.day}, {"sessions", one.sessions}, {"messages", one.messages}, {"refused", one.refused}});
    view["networks"] = std::move(networks);
    view["days"] = std::move(days);
    return view;
  }
  refuse("not-found", "this server has no other name " + wanted,
         "names stand in [[gateway.alias]] of postern.toml; see: postern hostname list");
}

using app::Role;
constexpr Access Watchers{Role::Admin | Role::Officer | Role::Auditor | Role::Helpdesk};

constexpr OrderRow Table[] = {
    {"hostname.list", OrderKind::Reads, listNames, Watchers},
    {"hostname.show", OrderKind::Reads, showName, Watchers},
};

}  // namespace

std::span<const OrderRow> hostnameOrders() {
  return Table;
}

}  // namespace postern::listd
