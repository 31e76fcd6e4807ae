#pragma once
#include "listd/requests/Requests.h"

namespace postern::listd {

// The roles that control others: giving one, or giving a person who has one a new way in, needs a second person.
inline constexpr app::Roles ControlRoles =
    app::Role::Admin | app::Role::Officer | app::Role::Approver | app::Role::Auditor;

// Requests of kind "account.roles". Decided by an approver who is neither the one who asked nor the person; where there
// is none, by time, as on a one-person site.
void addAccountRequests(Requests& requests);

// Requests of kind "account.one-person": made when one person is left to run the site, because the others were shut out
// or lost their roles. That happens at once; what waits, always for its time, is that the one decides alone
// (LegalSite.h: twoPersonRules).

// Whether that is so yet. A new site has nobody who could approve: until its first approver has come, the administrator
// gives roles at once. From then on never again, also when all approvers are gone.
bool controlsAreShared(SiteTables& tables);
// To be called at the end of every change of accounts, in its transaction: remembers that an approver has come.
void noteApprovers(SiteTables& tables);

}  // namespace postern::listd
