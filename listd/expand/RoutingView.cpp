#include "listd/expand/RoutingView.h"

#include "listd/probe/TlsReports.h"

namespace postern::listd {

app::RoutingView buildRoutingView(SiteContext& context) {
  app::RoutingView view;
  view.vaultPublicKey = context.keys.vaultKeyPair().publicKey;
  view.helpLink = context.helpLink();
  context.site.read([&](SiteTables& tables) {
    view.revision = tables.counters.get(CounterStore::Routing);
    for (const auto& domain : tables.domains.all())
      if (domain.kind == "list") view.listDomains.push_back(domain.name);
    for (const auto& list : tables.lists.all()) {
      // Bounces of what a closed list sent still come in.
      const auto bounces = subAddress(factsOf(list, view.helpLink).address, "bounces");
      view.addresses.push_back({bounces.key(), list.address, list.secure, app::RoutedAddress::Role::Bounces});
      // Keys of members come to the request address.
      const auto requests = subAddress(factsOf(list, view.helpLink).address, "request");
      if (list.open)
        view.addresses.push_back({requests.key(), list.address, list.secure, app::RoutedAddress::Role::Request});
      // People join and leave there, by the names of Mailman.
      if (list.open)
        for (const auto* suffix : {"join", "subscribe", "leave", "unsubscribe", "confirm"}) {
          const auto role = std::string_view(suffix) == "confirm" ? app::RoutedAddress::Role::Confirm
                                                                  : app::RoutedAddress::Role::Request;
          view.addresses.push_back(
              {subAddress(factsOf(list, {}).address, suffix).key(), list.address, list.secure, role});
        }
      if (list.open)
        view.addresses.push_back({list.address, list.address, list.secure, app::RoutedAddress::Role::List});
    }
    // Behind the lists, so that a list of that name keeps its mail. Others report there on their TLS to us (RFC 8460).
    for (const auto& domain : view.listDomains)
      view.addresses.push_back({tlsReportAddress(domain), "", false, app::RoutedAddress::Role::Request});
    view.routes = tables.routes.all();
    for (auto& destination : tables.destinations.all()) view.shapes.push_back(std::move(destination.shape));
    for (auto& relay : tables.relays.all())
      view.relays.push_back({std::move(relay.range), std::move(relay.domain), std::move(relay.list),
                             std::move(relay.fingerprint), std::move(relay.issuer), std::move(relay.name)});
    for (const auto& mark : tables.domainTls.marks())
      (mark.mark == DomainMark::Mark::Trusted ? view.trustedDomains : view.distrustedDomains).push_back(mark.domain);
  });
  return view;
}

}  // namespace postern::listd
