#pragma once
#include "core/base/Clock.h"
#include "core/store/Database.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace postern::listd {

// A personal access token: acts as its account within its scopes.
struct ApiToken {
  std::uint64_t id = 0;
  std::string account;
  std::string name;
  std::string tokenHash;
  std::vector<std::string> scopes;  // "retention:read" "list:write"
  TimePoint createdAt;
  TimePoint expiresAt;
  TimePoint lastUsedAt;
  TimePoint revokedAt;  // zero: not revoked
};

// Opening of a sealed emergency account.
struct BreakGlass {
  std::uint64_t id = 0;
  std::string account;
  std::string codeHash;
  std::string sealedBy;
  TimePoint sealedAt;
  TimePoint openedAt;  // zero: still sealed
  TimePoint openedUntil;
  std::string openedFrom;
  std::string openedFor;
  std::string reviewedBy;
  TimePoint reviewedAt;
  std::string words;
};

struct AccessReview {
  std::uint64_t id = 0;
  std::string digest;  // of what was looked at
  std::string signedBy;
  TimePoint signedAt;
  std::string words;
};

// Tokens, emergency accounts and reviews of access. Threads: those of the connection. Errors: Error(Store).
class TokenStore {
public:
  explicit TokenStore(store::Database& database) : database_(database) {}

  std::uint64_t add(const ApiToken& token);
  std::optional<ApiToken> find(std::string_view tokenHash) const;
  std::vector<ApiToken> of(std::string_view account) const;
  bool revoke(std::string_view account, std::uint64_t id, TimePoint at);
  void revokeAll(std::string_view account, TimePoint at);
  void recordUse(std::uint64_t id, TimePoint at);

  std::uint64_t seal(const BreakGlass& sealed);
  std::optional<BreakGlass> findSealed(std::string_view codeHash) const;
  void open(std::uint64_t id, TimePoint at, TimePoint until, std::string_view from, std::string_view reason);
  bool review(std::uint64_t id, std::string_view by, TimePoint at, std::string_view words);
  std::vector<BreakGlass> allBreakGlass() const;
  std::optional<TimePoint> openUntil(std::string_view account) const;  // of the latest opening

  void addReview(const AccessReview& review);
  std::optional<AccessReview> lastReview() const;

private:
  store::Database& database_;
};

}  // namespace postern::listd
