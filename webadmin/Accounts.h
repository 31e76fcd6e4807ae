#pragma once
#include "core/base/Clock.h"
#include "core/base/Mutex.h"
#include "webadmin/Orders.h"

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <string>

namespace postern::webadmin {

// What accounts may do now: listd is asked (user.show), and its answer holds for a minute, so that an account that was
// removed or given another role loses its sessions or pages within that time.
// Threads: safe for all. Errors: Error(Unavailable) when listd does not answer: without it nothing is allowed.
class Accounts {
public:
  static constexpr std::chrono::seconds AskEvery{60};

  Accounts(Orders& orders, const Clock& clock) : orders_(orders), clock_(clock) {}

  // The words of the account's roles, apart by commas; nothing when there is no such account.
  std::optional<std::string> roleOf(const std::string& account);

private:
  struct Known {
    std::string role;
    TimePoint askedAt;
  };

  Orders& orders_;
  const Clock& clock_;
  Mutex mutex_;
  std::map<std::string, Known, std::less<>> known_ GUARDED_BY(mutex_);
};

}  // namespace postern::webadmin
