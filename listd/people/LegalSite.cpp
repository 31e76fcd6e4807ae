#include "listd/people/LegalSite.h"

#include "listd/people/RoleRules.h"

namespace postern::listd {
namespace {

std::vector<Account> staffOf(SiteTables& tables) {
  auto all = tables.accounts.all();
  std::erase_if(all, [](const Account& account) {
    return account.state != "enabled" || account.breakGlass || !account.roles.meets(StaffRoles);
  });
  return all;
}

}  // namespace

std::size_t staffCount(SiteTables& tables) {
  return staffOf(tables).size();
}

void requireLegalSite(SiteTables& tables) {
  if (staffCount(tables) >= 2) requireSplit(tables);
}

void requireSplit(SiteTables& tables) {
  for (const auto& account : staffOf(tables))
    if (const auto exclusion = exclusionOf(account.roles); !exclusion.empty())
      refuse("refused", exclusion + ", and " + account.name + " has both",
             "only while one person runs the site may they have both; take one role from " + account.name + " first");
}

}  // namespace postern::listd
