#include "listd/people/RoleRules.h"
#include "listd/requests/Requests.h"
#include "listd/site/SiteStore.h"

#include <nlohmann/json.hpp>

namespace postern::listd {

std::vector<Staff> siteStaff(SiteTables& tables) {
  std::vector<Staff> staff;
  for (const auto& account : tables.accounts.all())
    if (account.state == "enabled" && !account.breakGlass && account.roles.meets(StaffRoles))
      staff.push_back({account.name, account.mail, account.roles.has(app::Role::Approver)});
  return staff;
}

std::string personConcerned(const Request& request) {
  return request.payload.is_object() ? request.payload.value("person", std::string()) : std::string();
}

bool somebodyMayDecide(SiteTables& tables, const Request& request) {
  for (const auto& person : siteStaff(tables))
    if (person.approver && !samePerson(person.name, request.requester) &&
        !samePerson(person.name, personConcerned(request)))
      return true;
  return false;
}

}  // namespace postern::listd
