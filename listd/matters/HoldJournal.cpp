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
bool replayOne(SiteTables& tables, const HoldRecord& record, std::optional<std::string>& unreadable) {
  try {  // the boundary of one record: the others count all the same
    return record.placed ? holdregister::replayPlaced(tables, record.payload)
                         : holdregister::replayReleased(tables, record.payload);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::Malformed) throw;
    unreadable = "record " + std::to_string(record.number) + " of the register cannot be read: " + error.message();
    return false;
  }
}

// Holds that were placed while the register was in trouble.
void journalMissing(SiteContext& context, const std::vector<HoldRecord>& records) {
  std::set<std::string> known;
  for (const auto& record : records)
    if (record.placed) known.insert(holdregister::identityOf(record.payload));
  const auto missing = context.site.read([&](SiteTables& tables) {
    std::vector<std::pair<HoldRow, Matter>> found;
    for (const auto& row : tables.holds.all())
      if (const auto matter = tables.matters.find(row.hold.matterId))
        if (!known.contains(holdregister::identityOf(holdregister::placed(row, *matter))))
          found.emplace_back(row, *matter);
    return found;
  });
  for (const auto& [row, matter] : missing) journalPlaced(context, row, matter);
}

}  // namespace

std::size_t replayHolds(SiteContext& context) {
  std::vector<HoldRecord> records;
  context.journal.forEach([&](const vault::Journal::Record& record) {
    if (record.kind == Kind::HoldPlaced || record.kind == Kind::HoldReleased)
      records.push_back({record.number, record.kind == Kind::HoldPlaced, std::string(record.payload)});
  });
  std::optional<std::string> unreadable;
  const auto changed = context.site.write([&](SiteTables& tables) {
    std::size_t count = 0;
    for (const auto& record : records)
      if (replayOne(tables, record, unreadable)) ++count;
    return count;
  });
  if (changed > 0)
    log::warning("holds", "site.db did not have every hold of the journal; they are in force again",
                 {{"records", changed}});
  if (unreadable)
    context.journal.distrust(*unreadable);
  else
    journalMissing(context, records);
  return changed;
}

const ContentAnswers* contentAnswers(const OrderTools& tools) {
  return tools.retention == nullptr ? nullptr : tools.retention->answers();
}

}  // namespace postern::listd
