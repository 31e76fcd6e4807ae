#pragma once
#include "core/app/Roles.h"
#include "core/app/SessionLimits.h"
#include "core/base/Clock.h"
#include "core/base/Mutex.h"
#include "core/store/Database.h"

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace postern::webadmin {

struct Session {
  std::string account;
  std::string role;  // words of the roles, apart by commas
  TimePoint createdAt;
  TimePoint lastSeenAt;
  std::string ref;     // names the session to listd and to its person; opens nothing
  std::string client;  // address
  std::string agent;   // "Firefox on Linux"

  app::Roles roles() const;
};

// Who is signed in: DATA/web/web.db, of which this is the only writer.
// Invariants: 1. a token is made here, 256 bit, at sign-in, and never taken from outside, so no one can fixate it;
// 2. only its SHA-256 is stored; 3. a session ends after 15 minutes without an act of the person, after 12 hours, or
// when it is closed, and an ended one is deleted when it is met.
// Threads: safe for all. Errors: Error(Store).
class SessionStore {
public:
  static constexpr std::chrono::seconds IdleLimit = app::SessionIdleLimit;
  static constexpr std::chrono::seconds AbsoluteLimit = app::SessionAbsoluteLimit;

  SessionStore(const std::filesystem::path& database, const Clock& clock);

  // A new session; returns its token.
  std::string open(std::string_view account, std::string_view role, std::string_view client,
                   std::string_view agent = {});
  // In two steps, for listd must know the reference of a session before it is open.
  static std::string makeToken();
  static std::string refOf(std::string_view token);  // a prefix of the token's SHA-256
  void openWith(std::string_view token, std::string_view account, std::string_view role, std::string_view client,
                std::string_view agent);

  // Touch::Yes: the person did something, which holds off the idle limit.
  enum class Touch : std::uint8_t { No, Yes };
  std::optional<Session> find(std::string_view token, Touch touch);

  void close(std::string_view token);
  void closeAllOf(std::string_view account);
  std::vector<Session> allOf(std::string_view account);  // the latest first
  std::vector<Session> all();
  bool closeRef(std::string_view account, std::string_view ref);  // false: no such session of this account

private:
  std::vector<Session> read(std::string_view where, std::string_view account) REQUIRES_LOCK(mutex_);
  void deleteEnded(TimePoint now) REQUIRES_LOCK(mutex_);

  const Clock& clock_;
  Mutex mutex_;
  store::Database database_ GUARDED_BY(mutex_);
};

}  // namespace postern::webadmin
