#include "listd/matters/HoldJournal.h"

#include "core/base/Error.h"
#include "core/base/Log.h"
#include "listd/matters/HoldRegister.h"
#include "listd/orders/OrderTools.h"
#include "listd/retention/Retention.h"

#include <optional>
#include <set>

namespace postern::listd {

using Kind = vault::Journal::Kind;

void journalPlaced(SiteContext& context, const HoldRow& row, const Matter& matter) {
  if (context.journal.trouble()) return;  // nothing is destroyed meanwhile; noted once the register is whole again
  context.journal.append(Kind::HoldPlaced, holdregister::placed(row, matter));
}

void journalReleases(SiteContext& context) {
  if (context.journal.trouble()) return;
  const auto rows = context.site.read([](SiteTables& tables) { return tables.holds.releasesToJournal(); });
  for (const auto& row : rows) {
    context.journal.append(Kind::HoldReleased, holdregister::released(row));
    context.site.write([&](SiteTables& tables) { tables.holds.setJournalled(row.hold.id); });
  }
}

namespace {

struct HoldRecord {
  std::uint64_t number = 0;
  bool placed = false;
  std::string payload;
};

// False when nothing changed. A record that cannot be read may be a hold that must be in force.
bool replayOne(holdregister::Replay& replay, const HoldRecord& record, std::optional<std::string>& unreadable) {
  try {  // the boundary of one record: the others count all the same
    return record.placed ? replay.placed(record.payload) : replay.released(record.payload);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::Malformed) throw;
    unreadable = "record " + std::to_string(record.number) + " of the register cannot be read: " + error.message();
    return false;
  }
}

}  // namespace

std::size_t replayHolds(SiteContext& context) {
  std::vector<HoldRecord> records;
  context.journal.forEach([&](const vault::Journal::Record& record) {
    if (record.kind == Kind::HoldPlaced || record.kind == Kind::HoldReleased)
      records.push_back({record.number, record.kind == Kind::HoldPlaced, std::string(record.payload)});
  });
  std::optional<std::string> unreadable;
  std::vector<std::pair<HoldRow, Matter>> missing;
  const auto changed = context.site.write([&](SiteTables& tables) {
    std::size_t count = 0;
    holdregister::Replay replay(tables);
    for (const auto& record : records)
      if (replayOne(replay, record, unreadable)) ++count;
    for (auto& row : replay.withoutRecord())
      if (auto matter = tables.matters.find(row.hold.matterId))
        missing.emplace_back(std::move(row), std::move(*matter));
    return count;
  });
  if (changed > 0)
    log::warning("holds", "site.db did not have every hold of the journal; they are in force again",
                 {{"records", changed}});
  if (unreadable)
    context.journal.distrust(*unreadable);
  else
    for (const auto& [row, matter] : missing) journalPlaced(context, row, matter);
  return changed;
}

const ContentAnswers* contentAnswers(const OrderTools& tools) {
  return tools.retention == nullptr ? nullptr : tools.retention->answers();
}

}  // namespace postern::listd
