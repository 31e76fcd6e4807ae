#include "core/app/Roles.h"
#include "listd/mailout/SiteMail.h"
#include "listd/subscribe/Subscriptions.h"

#include <algorithm>

namespace postern::listd {
namespace {

constexpr std::chrono::hours BetweenOwnerMails{4};
constexpr std::chrono::hours KeptFor{30 * 24};

// Owners of the list; where there is none, the administrators.
std::vector<std::string> keepersOf(SiteTables& tables, const List& list) {
  std::vector<std::string> owners, admins;
  for (const auto& account : tables.accounts.all()) {
    if (account.state != "enabled" || account.mail.empty() || !mail::Address::parse(account.mail)) continue;
    const auto lists = tables.accounts.listsOf(account.name);
    if (account.roles.has(app::Role::Owner) && std::find(lists.begin(), lists.end(), list.address) != lists.end())
      owners.push_back(account.mail);
    if (account.roles.has(app::Role::Admin)) admins.push_back(account.mail);
  }
  return owners.empty() ? admins : owners;
}

struct Due {
  std::uint64_t count = 0;
  TimePoint newest;
};

void tellKeepers(const SiteContext& context, SiteTables& tables, TimePoint now) {
  std::map<std::string, Due> due;
  for (const auto id : tables.subscriptions.listsWithWaiting()) {
    const auto list = tables.lists.find(id);
    if (!list || list->deletedAt != TimePoint()) continue;
    const auto waiting = tables.subscriptions.waitingOf(id);
    for (const auto& mail : keepersOf(tables, *list)) {
      due[mail].count += waiting.count;
      due[mail].newest = std::max(due[mail].newest, waiting.newest);
    }
  }
  for (const auto& [mail, what] : due) {
    const auto last = tables.siteMail.newestOf(SiteMail::Kind::RequestsWaiting, mail);
    if (last && (now - last->createdAt < BetweenOwnerMails || what.newest < last->createdAt)) continue;
    sendSiteMail(
        tables,
        {SiteMail::Kind::RequestsWaiting, mail, context.webUrl() + "/subscriptions", {std::to_string(what.count)}},
        now);
  }
}

}  // namespace

void lookAfterSubscriptions(SiteContext& context) {
  const auto now = context.clock.now();
  context.site.write([&](SiteTables& tables) {
    tables.subscriptions.expire(now, now - KeptFor);
    tables.members.refreshPauses(now);
    tellKeepers(context, tables, now);
  });
}

}  // namespace postern::listd
