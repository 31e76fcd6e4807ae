#include "listd/people/RoleRules.h"

namespace postern::listd {

using app::Role;

std::string exclusionOf(app::Roles roles) {
  if (roles.has(Role::Admin) && roles.has(Role::Officer)) return "admin and officer may not be one person";
  if (roles.has(Role::Admin) && roles.has(Role::Auditor)) return "admin and auditor may not be one person";
  return {};
}

std::vector<std::string> wordsOf(app::Roles roles) {
  std::vector<std::string> words;
  for (auto bit = 1U; bit <= static_cast<unsigned>(Role::Member); bit <<= 1U)
    if (roles.has(static_cast<Role>(bit))) words.emplace_back(app::roleWord(static_cast<Role>(bit)));
  return words;
}

}  // namespace postern::listd
