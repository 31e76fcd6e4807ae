#include "listd/plan/MemberFacts.h"

#include <algorithm>
#include <utility>

namespace postern::listd {
namespace {

std::string_view domainOf(std::string_view address) {
  return address.substr(address.rfind('@') + 1);
}

bool counts(const app::DomainTls& tls) {
  return tls.means != app::TlsMeans::None;
}

}  // namespace

KnownDomains::KnownDomains(const DomainTlsStore& store) {
  for (const auto& tls : store.all()) domains_[tls.domain].verified = counts(tls);
  for (const auto& mark : store.marks())
    if (mark.mark == DomainMark::Mark::Distrusted) domains_[mark.domain].distrusted = true;
}

void KnownDomains::describe(std::string_view address, MemberFacts& facts) const {
  const auto known = domains_.find(domainOf(address));
  if (known == domains_.end()) return;
  facts.tlsVerified = known->second.verified;
  facts.tlsDistrusted = known->second.distrusted;
}

LadderRules rulesOf(const SiteTables& tables, const List& list, std::string_view sensitivity) {
  return rulesFor(list.secure, list.protection, tables.domains.protection(list.domain), sensitivity);
}

LadderRules rulesOf(const SiteTables& tables, const List& list) {
  return rulesOf(tables, list, list.sensitivity);
}

std::vector<std::string> ownDomainsOf(const SiteTables& tables) {
  std::vector<std::string> domains;
  for (auto& relay : tables.relays.all()) domains.push_back(std::move(relay.domain));
  return domains;
}

Decision decideOutbound(const SiteTables& tables, LadderRules rules, std::string_view address,
                        std::span<const std::string> ownDomains, TimePoint now) {
  const auto domain = domainOf(address);
  const auto mark = tables.domainTls.mark(domain);
  const bool trusted = mark && mark->mark == DomainMark::Mark::Trusted;
  if (!trusted && std::find(ownDomains.begin(), ownDomains.end(), domain) == ownDomains.end())
    return decideFor(tables, rules, address, std::nullopt, now);
  std::erase(rules.rungs, app::Protection::Tls);
  rules.rungs.insert(rules.rungs.begin(), app::Protection::Tls);
  const auto keys = tables.keys.factsOf(address);
  MemberFacts facts{keys, std::nullopt};
  const auto tls = tables.domainTls.find(domain);
  facts.tlsVerified = !tls || counts(*tls);
  facts.tlsDistrusted = mark && !trusted;
  return decide(rules, facts, now);
}

Decision decideFor(const SiteTables& tables, const LadderRules& rules, std::string_view address,
                   std::optional<app::Protection> wish, TimePoint now) {
  const auto keys = tables.keys.factsOf(address);
  MemberFacts facts{keys, wish};
  const auto domain = domainOf(address);
  const auto tls = tables.domainTls.find(domain);
  facts.tlsVerified = tls && counts(*tls);
  const auto mark = tables.domainTls.mark(domain);
  facts.tlsDistrusted = mark && mark->mark == DomainMark::Mark::Distrusted;
  return decide(rules, facts, now);
}

}  // namespace postern::listd
