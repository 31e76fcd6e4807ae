#include "gateway/RoutingDirectory.h"

#include "core/base/Log.h"

#include <algorithm>

namespace postern::gateway {

RoutingDirectory::RoutingDirectory(const RoutingFile& routing, const Clock& clock) : routing_(routing), clock_(clock) {
  refresh();
}

namespace {

const Clock& machineClock() {
  static const SystemClock clock;
  return clock;
}

}  // namespace

RoutingDirectory::RoutingDirectory(const RoutingFile& routing) : RoutingDirectory(routing, machineClock()) {}

// Without a certificate a range of everybody would make an open relay, whatever listd says.
void RoutingDirectory::add(Index& index, const app::Relay& relay) {
  const auto range = net::IpRange::parse(relay.range);
  if (relay.needsCertificate() ? range || relay.range == app::AnyAddress : range && !range->isEverybody())
    index.relays.push_back({range, relay});
}

void RoutingDirectory::refresh() {
  const auto view = routing_.current();
  if (!view) return;
  auto index = std::make_shared<Index>();
  index->domains.insert(view->listDomains.begin(), view->listDomains.end());
  for (const auto& address : view->addresses) index->addresses.emplace(address.address, address);
  for (const auto& relay : view->relays) add(*index, relay);
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
  if (base == index->addresses.end()) return std::nullopt;
  const auto role = base->second.role;
  const bool tagged = role == app::RoutedAddress::Role::Bounces || role == app::RoutedAddress::Role::Confirm;
  return tagged ? std::optional(base->second) : std::nullopt;
}

namespace {

// Only plain addresses: what another server could take for a route of its own (percent hack, bang path, quoted local
// part, address literal) is nobody's honest recipient.
bool isPlain(const mail::Address& to) {
  return !to.isLiteral() && !to.isQuoted() && to.isAscii() && to.localPart().find_first_of("%!") == std::string::npos &&
         to.domain().find('.') != std::string::npos;
}

}  // namespace

// The rules of the domain are those of its relays, wherever the person is.
std::optional<app::RoutedAddress> RoutingDirectory::outboundOfPerson(const mail::Address& from,
                                                                     const mail::Address& to) const {
  const auto index = snapshot();
  if (!index || index->domains.contains(to.domain()) || !isPlain(to)) return std::nullopt;
  for (const auto& relay : index->relays)
    if (relay.facts.senderDomain == from.domain())
      return app::RoutedAddress{to.key(), relay.facts.listName, true, app::RoutedAddress::Role::Outbound};
  return std::nullopt;
}

namespace {

// Why a certificate is not the one that a relay shows; empty: it is.
std::string certificateProblem(const app::Relay& relay, const std::optional<net::ClientCertificate>& shown,
                               TimePoint now) {
  if (!shown) return "no certificate was shown";
  if (auto late = shown->outOfTime(now); !late.empty()) return "its certificate is " + late;
  if (!relay.fingerprint.empty())
    return shown->fingerprint == relay.fingerprint ? std::string() : "its certificate has another fingerprint";
  if (!shown->trusted) return "its certificate does not chain to the authorities for clients: " + shown->distrust;
  if (shown->issuer != relay.issuer) return "its certificate is of another issuer, " + shown->issuer;
  const auto& names = shown->names;
  if (shown->subject == relay.name || std::find(names.begin(), names.end(), relay.name) != names.end()) return {};
  return "its certificate is for another name, " + shown->subject;
}

}  // namespace

// Whoever is no relay is a stranger like any other; the log says what was missing.
bool RoutingDirectory::fits(const Index::Relay& relay, const ClientFacts& client) const {
  if (!client.known || !relay.covers(client.address)) return false;
  if (!relay.facts.needsCertificate()) return true;
  const auto problem = certificateProblem(relay.facts, client.certificate, clock_.now());
  if (!problem.empty() && (client.certificate || relay.range))
    log::info("smtp", "a client is not taken for a relay",
              {{"client", client.address}, {"domain", relay.facts.senderDomain}, {"reason", problem}});
  return problem.empty();
}

std::optional<app::RoutedAddress> RoutingDirectory::outbound(const ClientFacts& client, const mail::Address& from,
                                                             const mail::Address& to) const {
  const auto index = snapshot();
  if (!index || index->domains.contains(to.domain()) || !isPlain(to)) return std::nullopt;
  for (const auto& relay : index->relays)
    if (relay.facts.senderDomain == from.domain() && fits(relay, client))
      return app::RoutedAddress{to.key(), relay.facts.listName, true, app::RoutedAddress::Role::Outbound};
  return std::nullopt;
}

bool RoutingDirectory::isRelay(const ClientFacts& client) const {
  const auto index = snapshot();
  return index && std::any_of(index->relays.begin(), index->relays.end(),
                              [&](const auto& relay) { return fits(relay, client); });
}

bool RoutingDirectory::asksCertificate(std::string_view address) const {
  const auto index = snapshot();
  return index && std::any_of(index->relays.begin(), index->relays.end(), [&](const auto& relay) {
           return relay.facts.needsCertificate() && relay.covers(address);
         });
}

bool RoutingDirectory::pinsCertificate(std::string_view fingerprint) const {
  const auto index = snapshot();
  return index && !fingerprint.empty() &&
         std::any_of(index->relays.begin(), index->relays.end(),
                     [&](const auto& relay) { return relay.facts.fingerprint == fingerprint; });
}

std::string RoutingDirectory::helpLink() const {
  const auto index = snapshot();
  return index ? index->helpLink : std::string();
}

}  // namespace postern::gateway
