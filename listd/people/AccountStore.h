#pragma once
#include "core/app/Roles.h"
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
  app::Roles roles;
  std::string mail;
  std::string state = "enabled";  // "invited" "enabled" "disabled"
  std::string passwordHash;       // empty: signs in with passkeys alone
  std::string userHandle;         // what passkeys know the person by
  TimePoint createdAt;
  TimePoint lastSignInAt;
  bool breakGlass = false;
};

// What proves a person beside or instead of the password.
struct Factor {
  std::uint64_t id = 0;
  std::string account;
  std::string kind;  // "totp" "passkey"
  std::string name;
  std::string secret;  // TOTP: sealed
  std::uint64_t lastStep = 0;
  std::string credentialId;  // passkey
  int algorithm = 0;         // COSE number
  std::string publicKey;
  std::uint64_t signCount = 0;
  TimePoint createdAt;
  TimePoint lastUsedAt;
};

struct Invitation {
  std::string tokenHash;
  std::string kind;  // "first" "invitation" "recovery"
  std::string account;
  std::string totpSecret;  // sealed
  std::string madeBy;
  TimePoint createdAt;
  TimePoint expiresAt;
  TimePoint usedAt;  // zero: not used
};

// Half of a sign-in, or a challenge to a passkey: used once.
struct PendingProof {
  std::string tokenHash;
  std::string purpose;  // "ticket" "passkey-add" "passkey-sign-in" "step-up"
  std::string account;
  std::string boundTo;  // client or session
  TimePoint expiresAt;
};

// Failed sign-ins of one account or client.
struct Guesses {
  std::uint32_t failures = 0;
  TimePoint lastAt;
  TimePoint blockedUntil;
};

// People who may sign in, what proves them, the links by which they are made, and who guesses.
// Threads: those of the connection. Errors: Error(Store).
class AccountStore {
public:
  explicit AccountStore(store::Database& database) : database_(database) {}

  void add(const Account& account);
  std::optional<Account> find(std::string_view name) const;
  std::optional<Account> findByHandle(std::string_view userHandle) const;
  std::vector<Account> all() const;
  bool any() const;
  void setRoles(std::string_view name, app::Roles roles);
  void setState(std::string_view name, std::string_view state);
  void setMail(std::string_view name, std::string_view mail);
  void setPassword(std::string_view name, std::string_view hash);
  void recordSignIn(std::string_view name, TimePoint at);

  // The lists of an owner, by address.
  std::vector<std::string> listsOf(std::string_view name) const;
  void setLists(std::string_view name, const std::vector<std::uint64_t>& lists);

  std::uint64_t addFactor(const Factor& factor);
  std::vector<Factor> factorsOf(std::string_view name) const;
  std::optional<Factor> findPasskey(std::string_view credentialId) const;
  void recordUse(std::uint64_t factor, std::uint64_t lastStep, std::uint64_t signCount, TimePoint at);
  bool removeFactor(std::string_view name, std::uint64_t factor);
  void removeFactors(std::string_view name);

  void setRecoveryCodes(std::string_view name, const std::vector<std::string>& hashes);  // older ones end
  bool useRecoveryCode(std::string_view name, std::string_view hash, TimePoint at);      // false: no such, or used
  std::uint64_t recoveryCodesLeft(std::string_view name) const;

  void addInvitation(const Invitation& invitation);  // ends every older one for the same account
  std::optional<Invitation> findInvitation(std::string_view tokenHash) const;
  void useInvitation(std::string_view tokenHash, TimePoint at);
  void endInvitations(std::string_view name, TimePoint at);

  void addProof(const PendingProof& proof);
  std::optional<PendingProof> findProof(std::string_view tokenHash, TimePoint now) const;
  std::optional<PendingProof> takeProof(std::string_view tokenHash, TimePoint now);  // works once

  Guesses guesses(std::string_view subject) const;
  void setGuesses(std::string_view subject, const Guesses& guesses);
  void forgetGuesses(std::string_view subject);
  void sweepGuesses(TimePoint before);  // old proofs too

private:
  store::Database& database_;
};

}  // namespace postern::listd
