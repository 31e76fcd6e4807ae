#pragma once
#include "core/base/Clock.h"
#include "core/store/Database.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace postern::listd {

struct Account {
  std::string name;
  std::string role;
  std::string passwordHash;
  std::string totpSecret;  // sealed
  std::uint64_t totpLastStep = 0;
  TimePoint createdAt;
  TimePoint lastSignInAt;
};

struct SetupLink {
  std::string tokenHash;
  std::string totpSecret;  // sealed
  TimePoint createdAt;
  TimePoint expiresAt;
  TimePoint usedAt;  // zero: not used
};

// Failed sign-ins of one account or client.
struct Guesses {
  std::uint32_t failures = 0;
  TimePoint lastAt;
  TimePoint blockedUntil;
};

// People who may sign in, the links by which they are made, and who guesses. Threads: those of the connection.
// Errors: Error(Store).
class AccountStore {
public:
  explicit AccountStore(store::Database& database) : database_(database) {}

  void add(const Account& account);
  std::optional<Account> find(std::string_view name) const;
  std::vector<Account> all() const;
  bool any() const;
  void recordSignIn(std::string_view name, std::uint64_t totpStep, TimePoint at);

  void addLink(const SetupLink& link);  // ends every older link
  std::optional<SetupLink> findLink(std::string_view tokenHash) const;
  void useLink(std::string_view tokenHash, TimePoint at);

  Guesses guesses(std::string_view subject) const;
  void setGuesses(std::string_view subject, const Guesses& guesses);
  void forgetGuesses(std::string_view subject);
  void sweepGuesses(TimePoint before);

private:
  store::Database& database_;
};

}  // namespace postern::listd
