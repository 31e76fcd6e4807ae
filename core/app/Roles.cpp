#include "core/app/Roles.h"

#include <array>
#include <utility>

namespace postern::app {
namespace {

constexpr std::array<std::pair<Role, const char*>, 8> Words = {{{Role::Admin, "admin"},
                                                                {Role::Officer, "officer"},
                                                                {Role::Approver, "approver"},
                                                                {Role::Auditor, "auditor"},
                                                                {Role::Custodian, "custodian"},
                                                                {Role::Owner, "owner"},
                                                                {Role::Helpdesk, "helpdesk"},
                                                                {Role::Member, "member"}}};

}  // namespace

const char* roleWord(Role role) {
  for (const auto& [known, word] : Words)
    if (known == role) return word;
  return "";
}

std::optional<Role> roleFromWord(std::string_view word) {
  for (const auto& [role, known] : Words)
    if (word == known) return role;
  return std::nullopt;
}

}  // namespace postern::app
