#include "listd/plan/Standing.h"

namespace postern::listd {

void refreshStanding(SiteTables& tables, std::string_view address, TimePoint now) {
  const auto keys = tables.keys.factsOf(address);
  for (const auto& [member, secureList] : tables.members.membershipsOf(address))
    tables.members.setStanding(member, decide(secureList, keys, now));
}

void refreshTurned(SiteTables& tables, TimePoint now) {
  const auto last = fromMicros(static_cast<std::int64_t>(tables.counters.get(CounterStore::Readiness)));
  if (last >= now) return;
  for (const auto& address : tables.keys.addressesThatTurned(last, now)) refreshStanding(tables, address, now);
  tables.counters.set(CounterStore::Readiness, static_cast<std::uint64_t>(toMicros(now)));
}

}  // namespace postern::listd
