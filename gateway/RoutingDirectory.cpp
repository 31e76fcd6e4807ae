#include "gateway/RoutingDirectory.h"

namespace postern::gateway {

RoutingDirectory::RoutingDirectory(const RoutingFile& routing) : routing_(routing) {
  refresh();
}

void RoutingDirectory::refresh() {
  const auto view = routing_.current();
  if (!view) return;
  auto index = std::make_shared<Index>();
  index->domains.insert(view->listDomains.begin(), view->listDomains.end());
  for (const auto& address : view->addresses) index->addresses.emplace(address.address, address);
  for (const auto& relay : view->relays)
    if (auto range = net::IpRange::parse(relay.range))
      index->relays.push_back({*range, relay.senderDomain, relay.listName});
  index->helpLink = view->helpLink;
  MutexLock lock(mutex_);
  index_ = std::move(index);
}

std::shared_ptr<const RoutingDirectory::Index> RoutingDirectory::snapshot() const {
  MutexLock lock(mutex_);
  return index_;
}

bool RoutingDirectory::isLocalDomain(std::string_view domain) const {
  const auto index = snapshot();
  return index && index->domains.contains(std::string(domain));
}

std::optional<app::RoutedAddress> RoutingDirectory::find(const mail::Address& address) const {
  const auto index = snapshot();
  if (!index) return std::nullopt;
  const auto key = address.key();
  if (const auto whole = index->addresses.find(key); whole != index->addresses.end()) return whole->second;
  const auto plus = key.find('+');
  const auto at = key.rfind('@');
  if (plus == std::string::npos || plus > at) return std::nullopt;
  const auto base = index->addresses.find(key.substr(0, plus) + key.substr(at));
  if (base == index->addresses.end() || base->second.role != app::RoutedAddress::Role::Bounces) return std::nullopt;
  return base->second;
}

// Only plain addresses: what another server could take for a route of its own (percent hack, bang path, quoted local
// part, address literal) is nobody's honest recipient.
std::optional<app::RoutedAddress> RoutingDirectory::outbound(std::string_view client, const mail::Address& from,
                                                             const mail::Address& to) const {
  const auto index = snapshot();
  if (!index || index->domains.contains(to.domain())) return std::nullopt;
  if (to.isLiteral() || to.isQuoted() || !to.isAscii() || to.localPart().find_first_of("%!") != std::string::npos)
    return std::nullopt;
  if (to.domain().find('.') == std::string::npos) return std::nullopt;
  for (const auto& relay : index->relays)
    if (relay.senderDomain == from.domain() && relay.range.contains(client))
      return app::RoutedAddress{to.key(), relay.listName, true, app::RoutedAddress::Role::Outbound};
  return std::nullopt;
}

std::string RoutingDirectory::helpLink() const {
  const auto index = snapshot();
  return index ? index->helpLink : std::string();
}

}  // namespace postern::gateway
