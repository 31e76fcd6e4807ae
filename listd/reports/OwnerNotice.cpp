#include "listd/reports/OwnerNotice.h"

#include "core/mail/Address.h"
#include "listd/mailout/SiteMail.h"

#include <algorithm>

namespace postern::listd {
namespace {

constexpr std::chrono::hours BetweenMails{24};

}  // namespace

bool isSecretMatter(SiteTables& tables, std::uint64_t matterId) {
  if (matterId == 0) return false;
  const auto holds = tables.holds.forMatter(matterId);
  return std::any_of(holds.begin(), holds.end(),
                     [](const auto& row) { return row.hold.silent && !row.hold.releasedAt; });
}

void tellOwners(const SiteContext& context, SiteTables& tables, const std::vector<std::uint64_t>& lists,
                std::uint64_t matterId, TimePoint now) {
  if (isSecretMatter(tables, matterId)) return;
  std::vector<std::string> addresses;
  for (const auto id : lists)
    if (const auto list = tables.lists.find(id)) addresses.push_back(list->address);
  for (const auto& account : tables.accounts.all()) {
    if (account.state != "enabled" || account.mail.empty()) continue;
    const auto owned = tables.accounts.listsOf(account.name);
    const bool concerned = std::any_of(addresses.begin(), addresses.end(), [&](const auto& address) {
      return std::find(owned.begin(), owned.end(), address) != owned.end();
    });
    const auto recipient = mail::Address::parse(account.mail);
    if (!concerned || !recipient) continue;
    const auto last = tables.siteMail.newestOf(SiteMail::Kind::ContentAccess, account.mail);
    if (last && now - last->createdAt < BetweenMails && last->createdAt <= now) continue;
    sendSiteMail(tables,
                 {SiteMail::Kind::ContentAccess, account.mail, context.webUrl() + "/lists", {formatRfc3339(now)}}, now);
  }
}

}  // namespace postern::listd
