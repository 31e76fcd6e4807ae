#include "listd/people/LegalSite.h"

#include "listd/people/RoleRules.h"

namespace postern::listd {
namespace {

// In the counters: 0, or the request that ends the holding.
constexpr std::string_view Held = "two-person-rules";

std::vector<Account> enabledStaff(SiteTables& tables) {
  auto all = tables.accounts.all();
  std::erase_if(all, [](const Account& account) {
    return account.state != "enabled" || account.breakGlass || !account.roles.meets(StaffRoles);
  });
  return all;
}

}  // namespace

std::size_t staffCount(SiteTables& tables) {
  return enabledStaff(tables).size();
}

bool twoPersonRules(SiteTables& tables) {
  return staffCount(tables) >= 2 || heldUntilRequest(tables);
}

std::optional<std::uint64_t> heldUntilRequest(SiteTables& tables) {
  const auto held = tables.counters.get(Held);
  return held == 0 ? std::nullopt : std::optional(held);
}

void holdTwoPersonRules(SiteTables& tables, std::uint64_t request) {
  tables.counters.set(Held, request);
}

void endTwoPersonRules(SiteTables& tables, std::uint64_t request) {
  if (tables.counters.get(Held) == request) tables.counters.set(Held, 0);
}

void requireLegalSite(SiteTables& tables) {
  if (twoPersonRules(tables)) requireSplit(tables);
}

void requireSplit(SiteTables& tables) {
  for (const auto& account : enabledStaff(tables))
    if (const auto exclusion = exclusionOf(account.roles); !exclusion.empty())
      refuse("refused", exclusion + ", and " + account.name + " has both",
             "only while one person runs the site may they have both; take one role from " + account.name + " first");
}

}  // namespace postern::listd
