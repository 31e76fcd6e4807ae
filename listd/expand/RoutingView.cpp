#include "listd/expand/RoutingView.h"

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
      if (list.open)
        view.addresses.push_back({list.address, list.address, list.secure, app::RoutedAddress::Role::List});
    }
    view.routes = tables.routes.all();
    for (auto& relay : tables.relays.all())
      view.relays.push_back({std::move(relay.range), std::move(relay.domain), std::move(relay.list)});
    for (const auto& mark : tables.domainTls.marks())
      (mark.mark == DomainMark::Mark::Trusted ? view.trustedDomains : view.distrustedDomains).push_back(mark.domain);
  });
  return view;
}

}  // namespace postern::listd
