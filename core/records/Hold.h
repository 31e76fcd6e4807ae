#pragma once
#include "core/records/Predicate.h"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace postern::records {

constexpr std::chrono::days DefaultGrace{30};

// A legal hold. Its scope never changes: another scope is another hold, and the old one is released with its grace.
struct Hold {
  std::uint64_t id = 0;
  std::uint64_t matterId = 0;
  std::string name;
  Predicate scope;
  bool silent = false;
  TimePoint placedAt;
  std::optional<TimePoint> releasedAt;
  std::chrono::days grace = DefaultGrace;

  // Until when it is in force; Never while it is not released.
  TimePoint inForceUntil() const;
};

// Held(m, t). `content` answers scope.contentQuery() for this object, Unknown where that could not be computed, which
// counts as a match. A message that dropped out (its content became readable after the hold was placed, and does not
// match) counts as released at that moment: it stays held for the grace from Facts::evaluableSince. Without
// evaluableSince an answer of False is not believed, whoever gave it: not indexed is not evaluable.
bool holds(const Hold& hold, const Facts& facts, Truth content, TimePoint at);

// Until when this hold keeps the message as far as is known now: Never while it matches and is not released, Earliest
// when it does not keep it.
TimePoint heldUntil(const Hold& hold, const Facts& facts, Truth content);

}  // namespace postern::records
