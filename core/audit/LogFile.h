#pragma once
#include "core/audit/LogEntry.h"
#include "core/audit/Merkle.h"
#include "core/store/Database.h"

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace postern::audit {

// One row of the log as it is stored, believed in nothing.
struct LogRow {
  std::uint64_t seq = 0;
  TimePoint at;
  std::string_view actor;
  std::string_view action;
  std::string_view objectType;
  std::string_view objectId;
  std::uint64_t matterId = 0;
  std::string_view outcome;
  std::string_view entry;
  std::string_view leaf;
};

// A checkpoint as it is stored.
struct StoredCheckpoint {
  std::uint64_t size = 0;
  TimePoint at;
  std::string note;
};

// Reads the audit log in a site.db: of a running site or of a copy of the file. Changes nothing.
// Ownership: `database` must outlive it. Threads: those of the connection. Errors: Error(Store).
class LogFile {
public:
  explicit LogFile(store::Database& database) : database_(database) {}

  std::uint64_t size() const;  // rows that are there
  std::string logId() const;   // empty before the first entry
  std::optional<std::string> entry(std::uint64_t seq) const;
  // Rows in order from `from` on, until `visit` says false. The row's views end with the call.
  void forEach(std::uint64_t from, const std::function<bool(const LogRow&)>& visit) const;

  // The hash of a whole subtree: from the nodes that are stored, below them from the leaves.
  std::string node(unsigned level, std::uint64_t index) const;
  NodeSource nodes() const {
    return [this](unsigned level, std::uint64_t index) { return node(level, index); };
  }

  std::vector<StoredCheckpoint> checkpoints(std::uint64_t from = 0) const;  // of this size and larger
  std::optional<StoredCheckpoint> newestCheckpoint() const;
  std::optional<StoredCheckpoint> checkpointOf(std::uint64_t leastSize) const;  // the first that covers so many

private:
  store::Database& database_;
};

constexpr unsigned LowestStoredLevel = 8;  // subtrees of 256 leaves

}  // namespace postern::audit
