#include "listd/mailout/MailToken.h"
#include "listd/mailout/SiteMail.h"
#include "listd/matters/HoldJournal.h"
#include "listd/matters/MatterOrders.h"
#include "listd/matters/Scopes.h"

#include <algorithm>

namespace postern::listd {
namespace {

constexpr std::chrono::days ReminderInterval{7};
constexpr std::chrono::hours CountInterval{1};

void mailNotice(SiteContext& context, SiteTables& tables, SiteMail::Kind kind, const HoldNotice& notice,
                TimePoint now) {
  const auto token = makeMailToken(context.root, NoticePurpose, notice.id, notice.address);
  sendSiteMail(tables, {kind, notice.address, context.webUrl() + "/notice?token=" + token, {}}, now);
}

void remindCustodians(SiteContext& context, TimePoint now) {
  const auto due = [&](SiteTables& tables) { return tables.holdNotices.toRemind(now - ReminderInterval); };
  if (context.site.read(due).empty()) return;
  context.site.write([&](SiteTables& tables) {
    for (const auto& notice : due(tables)) {
      tables.holdNotices.noteReminder(notice.id, now);
      mailNotice(context, tables, SiteMail::Kind::HoldReminder, notice, now);
    }
  });
}

void countHolds(OrderTools& tools, TimePoint now) {
  auto& context = tools.context;
  std::vector<records::Predicate> scopes;
  std::vector<HoldCount> counts;
  context.site.read([&](SiteTables& tables) {
    bool stale = false;
    for (const auto& hold : tables.holds.allInForce(now)) {
      const auto counted = tables.holdCounts.find(hold.id);
      stale = stale || !counted || counted->countedAt + CountInterval <= now;
      scopes.push_back(hold.scope);
      counts.push_back({hold.id, 0, 0, now});
    }
    if (!stale) return counts.clear();
    const auto found = countScopes(tables, scopes, contentAnswers(tools), now, 0);
    for (std::size_t i = 0; i < found.size(); ++i) {
      counts[i].objects = found[i].objects;
      counts[i].growth24h = found[i].growth24h;
    }
  });
  if (counts.empty()) return;
  context.site.write([&](SiteTables& tables) {
    for (const auto& count : counts) tables.holdCounts.set(count);
  });
}

}  // namespace

void tellCustodian(OrderTools& tools, SiteTables& tables, std::uint64_t matterId, const std::string& address) {
  for (const auto& row : tables.holds.forMatter(matterId)) {
    if (row.hold.silent || row.hold.releasedAt || row.notice.empty()) continue;
    HoldNotice notice;
    notice.holdId = row.hold.id;
    notice.matterId = matterId;
    notice.address = address;
    notice.sentAt = tools.now();
    notice.id = tables.holdNotices.add(notice);
    if (notice.id != 0) mailNotice(tools.context, tables, SiteMail::Kind::HoldNotice, notice, notice.sentAt);
  }
}

void lookAfterHolds(OrderTools& tools, TimePoint now) {
  remindCustodians(tools.context, now);
  journalReleases(tools.context);
  countHolds(tools, now);
}

}  // namespace postern::listd
