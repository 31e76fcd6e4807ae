#pragma once
#include "core/app/Roles.h"

#include <string>
#include <vector>

namespace postern::listd {

// Roles of people who run the site, which need a second factor of ours and obey the exclusions.
inline constexpr app::Roles StaffRoles = app::Role::Admin | app::Role::Officer | app::Role::Approver |
                                         app::Role::Auditor | app::Role::Custodian | app::Role::Helpdesk;
inline constexpr app::Roles EveryRole = StaffRoles | app::Role::Owner | app::Role::Member;

// Roles that nobody gets by the word of one admin once there are two people.
inline constexpr app::Roles GuardedRoles =
    app::Role::Admin | app::Role::Officer | app::Role::Approver | app::Role::Auditor;

// "admin and officer may not be one person"; empty when the roles may be together. A site with one person is excepted,
// which the caller knows. Officer and approver may be one person; never on one request, which the requests see to.
std::string exclusionOf(app::Roles roles);

std::vector<std::string> wordsOf(app::Roles roles);

}  // namespace postern::listd
