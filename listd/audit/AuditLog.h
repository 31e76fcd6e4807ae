#pragma once
#include "core/audit/Checkpoint.h"
#include "core/audit/Entry.h"
#include "core/audit/LogFile.h"
#include "core/audit/Verify.h"
#include "core/base/Clock.h"
#include "core/store/Database.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace postern::listd {

// What every entry says of the process that wrote it.
struct AuditScene {
  const Clock* clock = nullptr;
  std::string bootId;  // of this start of listd
};

// One row for a page or a list.
struct AuditRow {
  std::uint64_t seq = 0;
  std::string entry;  // canonical bytes
};

struct AuditFilter {
  std::string actor = {};  // name of a person, or a pseudonym
  std::string action = {};
  std::string objectType = {};
  std::string objectId = {};
  std::uint64_t matterId = 0;
  std::string outcome = {};
  TimePoint from = {};
  TimePoint until = {};  // 0: no end
  std::uint64_t before = UINT64_MAX;
  std::uint64_t limit = 50;
};

struct AuditAnchorRow {
  std::string kind;
  std::uint64_t size = 0;
  TimePoint at;
  std::string receipt;
};

// A restore that put the log back: told to everybody who verifies it, never silent.
struct DeclaredRollback {
  std::uint64_t knownSize = 0;  // newest checkpoint known from outside
  std::string knownRoot;        // 32 bytes
  std::string reason;
  std::string requester;
  std::string approver;
  std::optional<std::uint64_t> from = {};  // up to here the log is proven to be the old one; none: up to the entry
};

// The audit log of the site: entries are appended, never changed or deleted (the database refuses it).
// Invariants: 1. an entry commits with the change that it describes, or neither does; 2. persons stand in it as
// pseudonyms only; 3. the entry's number, time, previous hash and place in the tree are given here.
// Threads: those of the connection. Errors: Error(Store); the change must fail then.
class AuditLog {
public:
  AuditLog(store::Database& database, const AuditScene& scene);
  ~AuditLog();

  // Adds an entry, in the caller's transaction. Gives its number back.
  std::uint64_t append(const audit::Event& event);

  // Many entries of one transaction: where the log stands is read once and written by finish(), not for each of them.
  // Without finish() the transaction must fail. One at a time; valid as long as the log.
  class Series {
  public:
    explicit Series(AuditLog& log);
    ~Series();
    Series(const Series&) = delete;
    Series& operator=(const Series&) = delete;
    void finish();

  private:
    AuditLog& log_;
  };

  // Put into every entry from now on: the version of the rules in force.
  void setPolicyVersion(std::string_view version);
  std::string policyVersion() const;
  void declareRollback(const DeclaredRollback& rollback);

  // Deletes the key of a person: what the log says of that person cannot be told from anybody else's any more.
  // False when the log knows no such person.
  bool erasePerson(std::string_view name);
  std::string nameOf(std::string_view pseudonym) const;  // empty: erased, or never known
  std::optional<std::string> pseudonymOf(std::string_view name) const;

  audit::LogFile file() const { return audit::LogFile(database_); }
  std::uint64_t size() const;
  std::string root() const;
  std::string logId();  // made on first use
  std::vector<AuditRow> list(const AuditFilter& filter) const;

  // True when something happened since the newest checkpoint that is more than carrying checkpoints away.
  bool changedSinceCheckpoint() const;
  void addCheckpoint(const audit::Checkpoint& checkpoint, std::string_view note);
  void addAnchor(const AuditAnchorRow& anchor);
  std::optional<AuditAnchorRow> newestAnchor(std::string_view kind) const;
  std::vector<std::string> anchoredNotes() const;  // checkpoints that were carried away

private:
  std::uint64_t firstSince(TimePoint at) const;
  struct State;
  State state();
  std::uint64_t append(State& log, const audit::Event& event);
  void store(const State& state);
  std::string pseudonym(std::string_view name);
  std::string detailsOf(const audit::Event& event);

  store::Database& database_;
  const AuditScene& scene_;
  std::unique_ptr<State> series_;  // null: no series is open
};

}  // namespace postern::listd
