#pragma once
#include "core/base/Clock.h"
#include "core/store/Database.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace postern::listd {

// A policy set as it was stored.
struct PolicyRevision {
  std::uint64_t id = 0;
  std::string digest;               // as the gateway tells sets apart; empty: it could not be put together
  std::string sha256;               // of files
  std::string files;                // JSON {path: text}
  std::string state = "candidate";  // "in-force" "former"
  TimePoint madeAt;
  std::string madeBy;
  std::string note;
  TimePoint inForceAt;  // zero: never
  std::string inForceBy;
  std::string reason;
  std::uint64_t backTo = 0;  // a rollback: the revision whose texts these are
};

// Policy sets, their history, and the sets of values that policies ask. Threads: those of the connection.
// Errors: Error(Store), Error(DiskFull).
class PolicyStore {
public:
  static constexpr std::uint32_t KeptInForce = 50;  // that are or were in force
  static constexpr std::uint32_t KeptCandidates = 20;

  explicit PolicyStore(store::Database& database) : database_(database) {}

  std::uint64_t add(const PolicyRevision& revision);
  std::optional<PolicyRevision> find(std::uint64_t id) const;
  std::optional<PolicyRevision> inForce() const;
  // The one that was in force before the one that is.
  std::optional<PolicyRevision> previous() const;
  // One with just these files that is in force or a candidate.
  std::optional<std::uint64_t> sameFiles(std::string_view sha256) const;
  // Newest first, without files.
  std::vector<PolicyRevision> page(std::uint64_t before, std::uint32_t limit) const;
  // Puts it in force in place of the one that was, and forgets what is older than is kept.
  void putInForce(std::uint64_t id, std::string_view by, std::string_view reason, TimePoint now);
  void forgetOld();

  struct SetFacts {
    std::string name;
    std::uint64_t count = 0;
    TimePoint changedAt;
  };
  std::vector<SetFacts> sets() const;
  std::map<std::string, std::vector<std::string>> values() const;  // all; sorted
  std::vector<std::string> valuesOf(std::string_view set, std::string_view after, std::uint32_t limit) const;
  std::uint64_t countOf(std::string_view set) const;
  std::uint64_t countOfAll() const;
  bool addValue(std::string_view set, std::string_view value, std::string_view by, TimePoint now);
  bool removeValue(std::string_view set, std::string_view value);
  std::uint64_t clearSet(std::string_view set);

  struct ShadowRun {
    std::uint64_t revision = 0;
    TimePoint startedAt;
    std::string startedBy;
    TimePoint until;
  };
  std::optional<ShadowRun> shadow() const;
  void setShadow(const ShadowRun& run);
  void endShadow();

  // A post whose content the vault keeps, of a time.
  struct StoredPost {
    std::uint64_t id = 0;
    std::string queueId;
    std::uint64_t list = 0;
    std::string mailFrom;
    TimePoint receivedAt;
    std::uint64_t object = 0;
    std::string client;  // JSON
    bool domainMail = false;
  };
  std::vector<StoredPost> posts(TimePoint from, TimePoint until, std::uint64_t after, std::uint32_t limit) const;
  std::uint64_t countPosts(TimePoint from, TimePoint until) const;
  // To whom a post that a relay handed over was addressed.
  std::vector<std::string> recipientsOf(std::uint64_t post, std::uint32_t limit) const;

private:
  store::Database& database_;
};

}  // namespace postern::listd
