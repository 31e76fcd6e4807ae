#include "listd/retention/Recording.h"

namespace postern::listd {

void record(SiteTables& tables, const audit::Event& event, TimePoint now) {
  tables.acts.add({now, event.actorKind, event.actor, event.action, event.objectId, audit::outcomeWord(event.outcome)});
}

std::optional<TimePoint> newestRecordAt(SiteTables& tables) {
  const auto newest = tables.acts.newest(1);
  if (newest.empty()) return std::nullopt;
  return newest.front().at;
}

}  // namespace postern::listd
