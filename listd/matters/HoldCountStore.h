#pragma once
#include "core/base/Clock.h"
#include "core/store/Database.h"

#include <cstdint>
#include <optional>
#include <vector>

namespace postern::listd {

// What holds matched when they were last counted, so that a page of holds scans nothing.
struct HoldCount {
  std::uint64_t holdId = 0;
  std::uint64_t objects = 0;
  std::uint64_t growth24h = 0;
  TimePoint countedAt;
};

// Threads: those of the connection. Errors: Error(Store).
class HoldCountStore {
public:
  explicit HoldCountStore(store::Database& database) : database_(database) {}

  std::optional<HoldCount> find(std::uint64_t holdId) const;
  void set(const HoldCount& count);

private:
  store::Database& database_;
};

}  // namespace postern::listd
