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

std::string RoutingDirectory::helpLink() const {
  const auto index = snapshot();
  return index ? index->helpLink : std::string();
}

}  // namespace postern::gateway
