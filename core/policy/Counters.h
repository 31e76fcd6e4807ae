#pragma once
#include "core/base/Mutex.h"

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <list>
#include <string>
#include <string_view>
#include <unordered_map>

namespace postern::policy {

// How often keys were counted lately: count(key, seconds) of policies. In memory only, for a bounded number of keys;
// when there are too many, those that were counted longest ago are forgotten. Each policy has its own keys, and so has
// each length of window. What has left the window may count for up to a sixteenth of it longer.
// Threads: safe for all.
class Counters {
public:
  using Clock = std::chrono::steady_clock;

  explicit Counters(std::size_t maxKeys = 100'000) : maxKeys_(maxKeys) {}

  // Counts the key once and says how often that was in the window that ends now. `trial`: says what it would be, and
  // counts nothing.
  std::uint64_t count(std::string_view policy, std::string_view key, std::uint32_t seconds, bool trial,
                      Clock::time_point now = Clock::now());

  std::size_t size() const;

private:
  static constexpr std::size_t Slots = 17;

  struct Entry {
    std::string key;
    std::int64_t newest = 0;  // number of the newest slot, counted from the clock's start
    std::array<std::uint32_t, Slots> slots{};
  };

  static void advance(Entry& entry, std::int64_t slot);

  const std::size_t maxKeys_;
  mutable Mutex mutex_;
  std::list<Entry> entries_ GUARDED_BY(mutex_);  // counted last first
  std::unordered_map<std::string_view, std::list<Entry>::iterator> byKey_ GUARDED_BY(mutex_);
};

}  // namespace postern::policy
