#include "listd/mailout/SiteMail.h"
#include "listd/mailout/SiteMailStore.h"
#include "listd/pickup/PickupOrders.h"

#include <algorithm>

namespace postern::listd {
namespace {

using app::Role;

constexpr std::chrono::hours BetweenMails{1};

bool owns(const SiteTables& tables, const Account& account, std::string_view list) {
  const auto lists = tables.accounts.listsOf(account.name);
  return std::find(lists.begin(), lists.end(), list) != lists.end();
}

}  // namespace

// The owners of the list; where none of them has an address, the helpdesk and the administrators.
void tellOfProblem(const OrderTools& tools, SiteTables& tables, const PickupItem& item, std::string_view list) {
  std::vector<std::string> owners, others;
  for (const auto& account : tables.accounts.all()) {
    if (account.state != "enabled" || !mail::Address::parse(account.mail)) continue;
    if (owns(tables, account, list)) owners.push_back(account.mail);
    if (account.roles.meets(Role::Helpdesk | Role::Admin)) others.push_back(account.mail);
  }
  const auto now = tools.now();
  for (const auto& recipient : owners.empty() ? others : owners) {
    const auto last = tables.siteMail.newestOf(SiteMail::Kind::PickupProblem, recipient);
    if (last && last->createdAt <= now && now - last->createdAt < BetweenMails) continue;
    sendSiteMail(tables,
                 {SiteMail::Kind::PickupProblem,
                  recipient,
                  tools.context.webUrl() + "/waiting/" + std::to_string(item.id),
                  {formatRfc3339(now)}},
                 now);
  }
}

}  // namespace postern::listd
