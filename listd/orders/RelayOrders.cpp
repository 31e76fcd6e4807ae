#include "listd/orders/RelayOrders.h"

#include "core/net/IpRange.h"
#include "listd/orders/OrderTools.h"
#include "listd/orders/Views.h"

namespace postern::listd {

using nlohmann::json;

namespace {

json viewOf(const RelayRow& relay) {
  return {{"range", relay.range}, {"domain", relay.domain}, {"list", relay.list}};
}

net::IpRange rangeOf(const Args& args) {
  const auto text = args.text("range", 100);
  const auto range = net::IpRange::parse(text);
  if (!range)
    refuse("invalid", "\"" + text + "\" is no range of addresses", "give it as in 192.0.2.0/24 or 2001:db8::25");
  return *range;
}

json addRelay(OrderTools& tools, const OrderCall& call) {
  const auto range = rangeOf(call.args);
  if (range.isEverybody())
    refuse("refused", "this range holds every address, so that anybody could send mail through here",
           "name the addresses of the relay");
  RelayRow relay{range.text(), call.args.domain("domain").text(), 0, {}};
  call.note.objectType = "relay";
  call.note.objectId = relay.range + " " + relay.domain;
  return change(tools, call, [&](SiteTables& tables) {
    const auto address = call.args.address("list").key();
    const auto list = tables.lists.find(address);
    if (!list || list->deletedAt != TimePoint())
      refuse("not-found", "there is no list " + address,
             "make one for this mail: postern list create --secure " + address);
    if (!list->secure)
      refuse("refused", address + " is an open list, whose mail goes out unprotected", "name a secure list");
    relay.listId = list->id;
    relay.list = list->address;
    tables.relays.set(relay);
    tables.counters.take(CounterStore::Routing);
    return viewOf(relay);
  });
}

json listRelays(OrderTools& tools, const OrderCall&) {
  return tools.context.site.read([](SiteTables& tables) {
    auto items = json::array();
    for (const auto& relay : tables.relays.all()) items.push_back(viewOf(relay));
    return pageOf(std::move(items), {});
  });
}

json removeRelay(OrderTools& tools, const OrderCall& call) {
  const auto range = rangeOf(call.args).text();
  const auto domain = call.args.domain("domain").text();
  call.note.objectType = "relay";
  call.note.objectId = range + " " + domain;
  return change(tools, call, [&](SiteTables& tables) {
    if (!tables.relays.remove(range, domain))
      refuse("not-found", "there is no relay " + range + " for " + domain, "see: postern relay list");
    tables.counters.take(CounterStore::Routing);
    return json::object();
  });
}

using app::Role;
constexpr Access Watchers{Role::Admin | Role::Officer | Role::Auditor | Role::Helpdesk};

constexpr OrderRow Table[] = {
    {"relay.add", OrderKind::ChangesRouting, addRelay},
    {"relay.list", OrderKind::Reads, listRelays, Watchers},
    {"relay.remove", OrderKind::ChangesRouting, removeRelay},
};

}  // namespace

std::span<const OrderRow> relayOrders() {
  return Table;
}

}  // namespace postern::listd
