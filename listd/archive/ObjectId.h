#pragma once
#include "core/base/Clock.h"

#include <chrono>
#include <cstdint>

namespace postern::listd {

enum class ContentKind : std::uint64_t { AsItCame = 0, Opened = 1 };

// The number of a stored content: 63 bits, so that it is positive in SQL. The second of receipt, the gateway's number
// of the message, and which of its two contents: always the same for the same message, so that a repeat after a crash
// stores nothing twice. No two are equal: the gateway gives no number twice, and were its counter lost, the second
// would differ. What was written here and not handed over by the gateway has numbers of its own, from WrittenHere on,
// and its contents a range of their own. In the order of receipt, so that what goes together lies together in every
// table and file: a purge of random numbers writes a page for each row.
constexpr std::uint64_t WrittenHere = 1ULL << 62;

inline std::uint64_t objectIdOf(TimePoint receivedAt, std::uint64_t acceptedId, ContentKind kind) {
  constexpr std::uint64_t Seconds = (1ULL << 33) - 1, Numbers = (1ULL << 29) - 1;
  const auto since = std::chrono::duration_cast<std::chrono::seconds>(receivedAt.time_since_epoch()).count();
  return (static_cast<std::uint64_t>(since) & Seconds) << 30 | (acceptedId & Numbers) << 1 |
         (acceptedId & WrittenHere) | static_cast<std::uint64_t>(kind);
}

}  // namespace postern::listd
