#pragma once
#include "core/base/Clock.h"
#include "core/records/Hold.h"
#include "core/store/Database.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace postern::listd {

// A hold with what people need to know about it.
struct HoldRow {
  records::Hold hold;
  std::string notice;  // what custodians read behind the link; never in a mail
  std::string placedBy;
  std::string releasedBy;
  std::string releaseReason;
};

// The register of holds. A hold is in force, for mail of all times, once its row is committed. What is released stays.
// Threads: those of the connection. Errors: Error(Store), also for a scope that this binary cannot read: better no
// answer than one that leaves a hold out.
class HoldStore {
public:
  explicit HoldStore(store::Database& database) : database_(database) {}

  // Every hold that may keep something at `at`: not released, or within its grace. Silent ones too: this is for
  // deciding, not for showing.
  std::vector<records::Hold> allInForce(TimePoint at) const;
  std::optional<HoldRow> find(std::uint64_t id) const;
  std::vector<HoldRow> forMatter(std::uint64_t matterId) const;
  std::vector<HoldRow> all() const;
  bool anyOpen(std::uint64_t matterId) const;  // not released

  // With the id that it has, if it has one (a replay of the journal).
  std::uint64_t add(const HoldRow& row);
  void release(std::uint64_t id, TimePoint at, std::chrono::days grace, std::string_view person,
               std::string_view reason);

  // Releases that the journal may not have yet.
  std::vector<HoldRow> releasesToJournal() const;
  void setJournalled(std::uint64_t id);

private:
  store::Database& database_;
};

}  // namespace postern::listd
