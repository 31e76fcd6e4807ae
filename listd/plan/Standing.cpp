#include "listd/plan/Standing.h"

#include "listd/plan/MemberFacts.h"

namespace postern::listd {

void refreshStanding(SiteTables& tables, std::string_view address, TimePoint now) {
  for (const auto& [member, secureList] : tables.members.membershipsOf(address)) {
    const auto list = tables.lists.find(member.listId);
    if (!list) continue;
    const auto decision = decideFor(tables, rulesOf(tables, *list), address, member.wish, now);
    if (member.protection != protectionWord(decision) || member.reason != reasonWord(decision.reason))
      tables.members.setStanding(member, decision);
  }
}

void refreshDomain(SiteTables& tables, std::string_view domain, TimePoint now) {
  for (const auto& address : tables.members.addressesIn(domain)) refreshStanding(tables, address, now);
}

void noteDomain(SiteTables& tables, const app::DomainTls& found, TimePoint now) {
  const auto verified = [&] {
    const auto known = tables.domainTls.find(found.domain);
    return known && known->means != app::TlsMeans::None;
  };
  const bool before = verified();
  if (tables.domainTls.note(found) && verified() != before) refreshDomain(tables, found.domain, now);
}

std::uint64_t refreshList(SiteTables& tables, const List& list, TimePoint now) {
  const auto rules = rulesOf(tables, list);
  const KnownDomains domains(tables.domainTls);
  return tables.members.restand(list.id, [&](const MemberWithKeys& member) {
    MemberFacts facts{member.keys, member.wish};
    domains.describe(member.address, facts);
    return decide(rules, facts, now);
  });
}

void refreshTurned(SiteTables& tables, TimePoint now) {
  const auto last = fromMicros(static_cast<std::int64_t>(tables.counters.get(CounterStore::Readiness)));
  if (last >= now) return;
  for (const auto& address : tables.keys.addressesThatTurned(last, now)) refreshStanding(tables, address, now);
  tables.counters.set(CounterStore::Readiness, static_cast<std::uint64_t>(toMicros(now)));
}

}  // namespace postern::listd
