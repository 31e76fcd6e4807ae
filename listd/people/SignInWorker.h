#pragma once
#include "core/app/SignInLink.h"
#include "core/base/Mutex.h"
#include "listd/site/SiteContext.h"

#include <memory>
#include <stop_token>
#include <string>
#include <thread>

namespace postern::listd {

// Whether name and password are those of a person who may send mail now: the password is an access token with the scope
// mail:write or mail:send that was made by the account of that name or mail address, and nobody else has that address.
app::SignInAnswer judgeSignIn(SiteContext& context, const app::SignInQuestion& question);

// Fetches sign-ins from the gateway and answers them. Connects again when the gateway was away.
// Threads: its own; made and destroyed by one. Ownership: `context` must outlive it.
class SignInWorker {
public:
  SignInWorker(SiteContext& context, std::string socketPath);
  ~SignInWorker();

private:
  void run(std::stop_token stop);
  void serve(const std::stop_token& stop);
  std::shared_ptr<app::SignInLink> take(std::shared_ptr<app::SignInLink> link);

  SiteContext& context_;
  const std::string socketPath_;
  Mutex mutex_;
  Condition changed_;
  std::shared_ptr<app::SignInLink> link_ GUARDED_BY(mutex_);
  std::jthread thread_;  // last: it uses all of the above
};

}  // namespace postern::listd
