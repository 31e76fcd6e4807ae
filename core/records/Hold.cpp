#include "core/records/Hold.h"

#include <algorithm>

namespace postern::records {

namespace {

TimePoint withGrace(TimePoint released, std::chrono::days grace) {
  return released > TimePoint::max() - grace ? TimePoint::max() : released + grace;
}

// When the hold ceased to want this message: its release, or the moment at which the content was found not to match.
// Nothing: it never wanted it.
std::optional<TimePoint> letGoAt(const Hold& hold, const Facts& facts, Truth content) {
  const auto released = hold.releasedAt.value_or(TimePoint::max());
  if (hold.scope.matchesFacts(facts) == Truth::False) return std::nullopt;
  if (!hold.scope.needsContent() || content != Truth::False || !facts.evaluableSince) return released;
  if (*facts.evaluableSince <= hold.placedAt) return std::nullopt;
  return std::min(released, *facts.evaluableSince);
}

}  // namespace

TimePoint Hold::inForceUntil() const {
  return releasedAt ? withGrace(*releasedAt, grace) : TimePoint::max();
}

TimePoint heldUntil(const Hold& hold, const Facts& facts, Truth content) {
  const auto letGo = letGoAt(hold, facts, content);
  return letGo ? withGrace(*letGo, hold.grace) : TimePoint::min();
}

bool holds(const Hold& hold, const Facts& facts, Truth content, TimePoint at) {
  return at >= hold.placedAt && at < heldUntil(hold, facts, content);
}

}  // namespace postern::records
