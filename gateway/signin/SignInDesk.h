#pragma once
#include "core/app/SignInLink.h"
#include "core/base/Clock.h"
#include "core/base/Mutex.h"
#include "gateway/signin/GuessLimits.h"
#include "gateway/smtp/Ports.h"

#include <chrono>
#include <deque>
#include <map>
#include <string>

namespace postern::gateway {

// Sign-ins at the gateway: limits on tries, a short memory of what was right, and the questions to listd, which comes
// for them (core/app/SignInLink.h).
// Invariants:
//  1. Without listd's yes nobody is signed in; when listd is away or slow, the answer is "later".
//  2. The memory holds keyed digests, never passwords, for CacheTime and at most MaxRemembered; so a token that was
//     revoked, or an account that was shut, ends within CacheTime.
// Ownership: the clock must outlive it. Threads: safe for all; signIn() blocks for `patience` at the most.
class SignInDesk : public SignIns, public app::SignInService {
public:
  static constexpr std::chrono::seconds CacheTime{60};
  static constexpr std::size_t MaxRemembered = 2'000;
  static constexpr std::size_t MaxWaiting = 200;

  explicit SignInDesk(const Clock& clock, std::chrono::milliseconds patience = std::chrono::seconds(5));

  Outcome signIn(std::string_view client, std::string_view name, const Secret& password) override;
  std::vector<app::SignInQuestion> exchange(const std::vector<app::SignInAnswer>& answers,
                                            std::chrono::milliseconds wait) override;
  void stop();  // whoever waits gets an answer at once

private:
  struct Waiting {
    app::SignInQuestion question;
    bool taken = false;
    std::optional<app::SignInAnswer> answer;
  };
  struct Remembered {
    app::SignedIn person;
    TimePoint until;
  };

  std::string digestOf(std::string_view name, const Secret& password) const;
  std::optional<app::SignInAnswer> ask(std::string_view name, const Secret& password);
  void remember(const std::string& digest, const app::SignedIn& person) REQUIRES_LOCK(mutex_);

  const Clock& clock_;
  const std::chrono::milliseconds patience_;
  const Secret key_;
  Mutex mutex_;
  Condition changed_;
  bool stopped_ GUARDED_BY(mutex_) = false;
  std::uint64_t lastId_ GUARDED_BY(mutex_) = 0;
  std::map<std::uint64_t, Waiting> waiting_ GUARDED_BY(mutex_);
  std::map<std::string, Remembered> remembered_ GUARDED_BY(mutex_);
  GuessLimits limits_ GUARDED_BY(mutex_);
};

}  // namespace postern::gateway
