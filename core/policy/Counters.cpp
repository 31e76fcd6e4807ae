#include "core/policy/Counters.h"

#include <algorithm>
#include <limits>
#include <numeric>

namespace postern::policy {

// Forgets the slots that have left the window since the entry was last looked at.
void Counters::advance(Entry& entry, std::int64_t slot) {
  const auto steps = std::min<std::int64_t>(slot - entry.newest, Slots);
  for (std::int64_t i = 1; i <= steps; ++i) entry.slots[static_cast<std::size_t>((slot - steps + i) % Slots)] = 0;
  entry.newest = std::max(entry.newest, slot);
}

std::uint64_t Counters::count(std::string_view policy, std::string_view key, std::uint32_t seconds, bool trial,
                              Clock::time_point now) {
  const auto millis = std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch()).count();
  const auto slot = millis * static_cast<std::int64_t>(Slots - 1) / (std::int64_t{seconds} * 1000);
  auto name = std::string(policy) + '\n' + std::to_string(seconds) + '\n';
  name += key;
  const MutexLock lock(mutex_);
  auto found = byKey_.find(name);
  if (found == byKey_.end()) {
    if (trial) return 1;
    if (entries_.size() >= maxKeys_) {
      byKey_.erase(entries_.back().key);
      entries_.pop_back();
    }
    entries_.push_front({std::move(name), slot, {}});
    found = byKey_.emplace(entries_.front().key, entries_.begin()).first;
  }
  auto& entry = *found->second;
  advance(entry, slot);
  const auto before = std::accumulate(entry.slots.begin(), entry.slots.end(), std::uint64_t{0});
  if (trial) return before + 1;
  auto& current = entry.slots[static_cast<std::size_t>(entry.newest % Slots)];
  if (current < std::numeric_limits<std::uint32_t>::max()) ++current;
  entries_.splice(entries_.begin(), entries_, found->second);
  return before + 1;
}

std::size_t Counters::size() const {
  const MutexLock lock(mutex_);
  return entries_.size();
}

}  // namespace postern::policy
