#include "listd/backup/Rehearsal.h"

#include "core/base/Error.h"
#include "core/crypto/Digest.h"
#include "core/crypto/Encoding.h"
#include "listd/audit/AuditRequests.h"
#include "listd/matters/HoldJournal.h"
#include "listd/retention/Retention.h"

namespace postern::listd {

using nlohmann::json;

namespace {

constexpr std::size_t MostNamed = 20;
constexpr std::uint32_t Page = 10'000;

std::vector<std::uint64_t> storedObjects(SiteContext& context) {
  std::vector<std::uint64_t> ids;
  context.site.read([&](SiteTables& tables) {
    for (auto page = tables.archive.idsAfter(0, Page); !page.empty(); page = tables.archive.idsAfter(ids.back(), Page))
      ids.insert(ids.end(), page.begin(), page.end());
  });
  return ids;
}

std::uint64_t tombstones(const vault::Journal& journal) {
  std::uint64_t count = 0;
  journal.forEach([&](const vault::Journal::Record& record) {
    if (record.kind == vault::Journal::Kind::Tombstone) ++count;
  });
  return count;
}

void addTo(json& list, std::uint64_t id) {
  if (list.size() < MostNamed) list.push_back(id);
}

// Evenly over the archive, the oldest and the newest among them.
void openSamples(SiteContext& context, const std::vector<std::uint64_t>& ids, std::uint64_t samples, json& result) {
  const auto wanted = samples == 0 ? ids.size() : std::min<std::size_t>(samples, ids.size());
  std::uint64_t opened = 0;
  for (std::size_t i = 0; i < wanted; ++i) {
    const auto id = ids[wanted == 1 ? 0 : i * (ids.size() - 1) / (wanted - 1)];
    try {
      const auto content = context.vault.get(id);
      const auto known = context.site.read([&](SiteTables& tables) { return tables.archive.find(id); });
      if (!content || !known)
        addTo(result["unreadable"], id);
      else if (!known->digest.empty() && crypto::sha256(*content) != known->digest)
        addTo(result["changed"], id);
      else
        ++opened;
    } catch (const Error&) {  // one message that does not open must not hide the others
      addTo(result["unreadable"], id);
    }
  }
  result["opened"] = opened;
  result["tried"] = wanted;
}

// A roll-back stands in the log in any case: with what it lost when somebody knows that, else from where it is on.
void declare(SiteContext& context, const json& asked) {
  const auto notes = asked.value("checkpoints", std::vector<std::string>());
  context.site.write([&](SiteTables& tables) {
    auto rollback = lossBy(context, tables, notes).value_or(DeclaredRollback());
    if (rollback.knownSize == 0) {
      rollback.knownSize = tables.audit.size();
      rollback.knownRoot = tables.audit.root();
      rollback.from = rollback.knownSize;
    }
    rollback.reason = asked.at("reason").get<std::string>();
    rollback.requester = asked.at("requester").get<std::string>();
    rollback.approver = asked.at("approver").get<std::string>();
    tables.audit.declareRollback(rollback);
  });
}

}  // namespace

json rehearse(const config::SiteConfig& config, const Clock& clock, const json& wish) {
  SiteContext context(config, clock);  // the tombstones are applied
  json result{{"unreadable", json::array()}, {"changed", json::array()}};
  result["holdsBack"] = replayHolds(context);
  const Retention retention(context, nullptr);  // locked floors, and what site.db thinks it still has
  result["tombstones"] = tombstones(context.journal);
  if (const auto trouble = context.journal.trouble()) result["registerTrouble"] = *trouble;
  const auto ids = storedObjects(context);
  result["objects"] = ids.size();
  result["withoutKey"] = std::count_if(ids.begin(), ids.end(), [&](auto id) { return !context.keys.hasObjectKey(id); });
  openSamples(context, ids, wish.value("samples", std::uint64_t{200}), result);
  if (wish.contains("declare")) declare(context, wish.at("declare"));
  context.site.read([&](SiteTables& tables) {
    result["audit"] = {{"size", tables.audit.size()}, {"root", crypto::hex(tables.audit.root())}};
  });
  return result;
}

}  // namespace postern::listd
