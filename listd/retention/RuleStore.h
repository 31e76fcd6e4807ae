#pragma once
#include "core/records/Rule.h"
#include "core/store/Database.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace postern::listd {

// One version of a rule, with who made it and why.
struct RuleVersion {
  records::Rule rule;    // with id, version and effectiveFrom
  bool removed = false;  // from then on there is no such rule
  TimePoint madeAt;
  std::string madeBy;
  std::string reason;
  std::uint64_t request = 0;
};

// Something that happened and starts periods: for a list (every message on it) or for one object.
struct RetentionEvent {
  std::string event;
  std::uint64_t listId = 0;
  std::uint64_t objectId = 0;
  TimePoint at;
  TimePoint recordedAt;
  std::string recordedBy;
  std::string reason;
};
constexpr std::string_view ListClosedEvent = "list-closed";

// Rules with their versions, and events. Versions are only ever added; in force at a time is the highest version of a
// rule whose day has come, so that a later decision also supersedes one that still waits for its day.
// Threads: those of the connection. Errors: Error(Store).
class RuleStore {
public:
  explicit RuleStore(store::Database& database) : database_(database) {}

  std::vector<records::Rule> inForce(TimePoint at) const;
  std::vector<RuleVersion> current(TimePoint at) const;      // in force at `at`, removed ones not
  std::vector<RuleVersion> history(std::uint64_t id) const;  // oldest first; empty: no such rule
  std::vector<RuleVersion> pending(TimePoint at) const;      // whose day has not come and that nothing superseded
  std::vector<RuleVersion> everLockedFloors() const;         // every version of every locked floor
  std::uint64_t nextId() const;
  // Adds a version; gives it the next number. An id of 0 makes a new rule.
  RuleVersion add(RuleVersion version);

  // An event is recorded once: false when it was there already, which then stays as it is.
  bool record(const RetentionEvent& event);
  std::vector<RetentionEvent> events() const;

private:
  std::vector<RuleVersion> read(store::Statement& select) const;
  store::Database& database_;
};

}  // namespace postern::listd
