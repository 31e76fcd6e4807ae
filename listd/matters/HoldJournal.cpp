#include "listd/matters/HoldJournal.h"

#include "core/base/Log.h"
#include "listd/matters/HoldRegister.h"
#include "listd/orders/OrderTools.h"
#include "listd/retention/Retention.h"

namespace postern::listd {

using Kind = vault::Journal::Kind;

void journalPlaced(SiteContext& context, const HoldRow& row, const Matter& matter) {
  context.journal.append(Kind::HoldPlaced, holdregister::placed(row, matter));
}

void journalReleases(SiteContext& context) {
  const auto rows = context.site.read([](SiteTables& tables) { return tables.holds.releasesToJournal(); });
  for (const auto& row : rows) {
    context.journal.append(Kind::HoldReleased, holdregister::released(row));
    context.site.write([&](SiteTables& tables) { tables.holds.setJournalled(row.hold.id); });
  }
}

std::size_t replayHolds(SiteContext& context) {
  struct Record {
    Kind kind;
    std::string payload;
  };
  std::vector<Record> records;
  context.journal.forEach([&](const vault::Journal::Record& record) {
    if (record.kind == Kind::HoldPlaced || record.kind == Kind::HoldReleased)
      records.push_back({record.kind, std::string(record.payload)});
  });
  const auto changed = context.site.write([&](SiteTables& tables) {
    std::size_t count = 0;
    for (const auto& [kind, payload] : records) {
      const bool placed = kind == Kind::HoldPlaced;
      if (placed ? holdregister::replayPlaced(tables, payload) : holdregister::replayReleased(tables, payload)) ++count;
    }
    return count;
  });
  if (changed > 0)
    log::warning("holds", "site.db did not have every hold of the journal; they are in force again",
                 {{"records", changed}});
  return changed;
}

const ContentAnswers* contentAnswers(const OrderTools& tools) {
  return tools.retention == nullptr ? nullptr : tools.retention->answers();
}

}  // namespace postern::listd
