#include "listd/orders/OrderTools.h"
#include "listd/orders/RouteHosts.h"
#include "listd/orders/Views.h"

#include <algorithm>
#include <string>
#include <string_view>

namespace postern::listd {

using nlohmann::json;

namespace {

Domain requireDomain(SiteTables& tables, const std::string& name) {
  auto domain = tables.domains.find(name);
  if (!domain) refuse("not-found", "there is no domain " + name, "see: postern domain list");
  return std::move(*domain);
}

std::string routeDomain(const Args& args) {
  if (args.text("domain", 300) == "*") return "*";
  return args.domain("domain").text();
}

}  // namespace

json addDomain(OrderTools& tools, const OrderCall& call) {
  const auto name = call.args.domain("name").text();
  return change(tools, call, [&](SiteTables& tables) {
    if (tables.domains.find(name)) refuse("exists", "there is a domain " + name + " already");
    const Domain domain{name, "list", tools.now(), 0};
    tables.domains.add(domain);
    tables.counters.take(CounterStore::Routing);
    return viewOf(domain);
  });
}

json listDomains(OrderTools& tools, const OrderCall&) {
  return tools.context.site.read([](SiteTables& tables) {
    auto items = json::array();
    for (const auto& domain : tables.domains.all()) items.push_back(viewOf(domain));
    return pageOf(std::move(items), {});
  });
}

json showDomain(OrderTools& tools, const OrderCall& call) {
  const auto name = call.args.domain("name").text();
  return tools.context.site.read([&](SiteTables& tables) { return viewOf(requireDomain(tables, name)); });
}

json removeDomain(OrderTools& tools, const OrderCall& call) {
  const auto name = call.args.domain("name").text();
  return change(tools, call, [&](SiteTables& tables) {
    const auto domain = requireDomain(tables, name);
    if (domain.lists > 0)
      refuse("refused", name + " has " + std::to_string(domain.lists) + " lists, whose posts and ledger are kept",
             "close the lists instead: postern list close LIST");
    tables.domains.remove(name);
    tables.counters.take(CounterStore::Routing);
    return json::object();
  });
}

void checkRouteHosts(const std::string& hosts) {
  std::string_view rest = hosts;
  for (bool more = true; more;) {
    const auto comma = std::min(rest.find(','), rest.size());
    const auto host = rest.substr(0, comma);
    more = comma < rest.size();
    rest.remove_prefix(std::min(comma + 1, rest.size()));
    const auto colon = host.rfind(':');
    const bool bareIpv6 = colon != host.npos && host.find(':') != colon && !host.starts_with('[');
    auto name = colon == host.npos || bareIpv6 || host.ends_with(']') ? host : host.substr(0, colon);
    const auto port = name.size() == host.size() ? std::string_view("25") : host.substr(colon + 1);
    if (name.starts_with('[') && name.ends_with(']')) name = name.substr(1, name.size() - 2);
    const bool digits = !port.empty() && port.size() <= 5 && port.find_first_not_of("0123456789") == port.npos;
    const auto number = digits ? std::stoul(std::string(port)) : 0;
    if (name.empty() || name.find_first_of(" @/[]") != name.npos || number < 1 || number > 65535)
      refuse("invalid", "\"" + std::string(host) + "\" is not the name or the address of a host",
             "give a name as in mx.example.org, or an IP address; several with commas between, each with :PORT if it "
             "has one of its own");
  }
}

json addRoute(OrderTools& tools, const OrderCall& call) {
  app::Route route;
  route.domain = routeDomain(call.args);
  route.host = call.args.text("host", 300);
  route.port = static_cast<std::uint16_t>(call.args.number("port", 25, 1, 65535));
  route.tls = parseRouteTls(call.args.word("tls", "opportunistic", {"opportunistic", "required", "verified"})).value();
  checkRouteHosts(route.host);
  return change(tools, call, [&](SiteTables& tables) {
    tables.routes.set(route);
    tables.counters.take(CounterStore::Routing);
    return viewOf(route);
  });
}

json listRoutes(OrderTools& tools, const OrderCall&) {
  return tools.context.site.read([](SiteTables& tables) {
    auto items = json::array();
    for (const auto& route : tables.routes.all()) items.push_back(viewOf(route));
    return pageOf(std::move(items), {});
  });
}

json removeRoute(OrderTools& tools, const OrderCall& call) {
  const auto domain = routeDomain(call.args);
  return change(tools, call, [&](SiteTables& tables) {
    if (!tables.routes.remove(domain))
      refuse("not-found", "there is no route for " + domain, "see: postern route list");
    tables.counters.take(CounterStore::Routing);
    return json::object();
  });
}

}  // namespace postern::listd
