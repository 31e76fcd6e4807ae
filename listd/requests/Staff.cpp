#include "listd/people/RoleRules.h"
#include "listd/requests/Requests.h"
#include "listd/site/SiteStore.h"

namespace postern::listd {

std::vector<Staff> siteStaff(SiteTables& tables) {
  std::vector<Staff> staff;
  for (const auto& account : tables.accounts.all())
    if (account.state == "enabled" && !account.breakGlass && account.roles.meets(StaffRoles))
      staff.push_back({account.name, account.mail, account.roles.has(app::Role::Approver)});
  return staff;
}

}  // namespace postern::listd
