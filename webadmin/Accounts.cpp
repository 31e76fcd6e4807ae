#include "webadmin/Accounts.h"

#include "webadmin/Views.h"

namespace postern::webadmin {

std::optional<std::string> Accounts::roleOf(const std::string& account) {
  const auto now = clock_.now();
  {
    MutexLock lock(mutex_);
    const auto found = known_.find(account);
    // A clock that was set back must not lengthen what was once allowed.
    if (found != known_.end() && now >= found->second.askedAt && now - found->second.askedAt < AskEvery)
      return found->second.role;
    known_.erase(account);
  }
  try {
    const auto shown = orders_.give("user.show", {"system", "webadmin"}, {{"name", account}});
    auto role = views::text(shown, "role");
    for (const auto& word : views::part(shown, "roles"))
      if (word.is_string()) role += (role.empty() ? "" : ",") + word.get<std::string>();
    MutexLock lock(mutex_);
    known_[account] = {role, now};
    return role;
  } catch (const app::OrderRefused& refused) {
    if (refused.error().code != "not-found") throw;
    return std::nullopt;
  }
}

}  // namespace postern::webadmin
