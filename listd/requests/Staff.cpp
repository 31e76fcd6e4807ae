#include "core/mail/Address.h"
#include "listd/requests/Requests.h"
#include "listd/site/SiteStore.h"

namespace postern::listd {

std::vector<Staff> staffOf(SiteTables& tables) {
  std::vector<Staff> staff;
  for (const auto& account : tables.accounts.all())
    if (account.role != "owner")
      staff.push_back({account.name, mail::Address::parse(account.name) ? account.name : std::string(), true});
  return staff;
}

}  // namespace postern::listd
