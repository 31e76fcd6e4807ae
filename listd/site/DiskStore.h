#pragma once
#include "core/base/Clock.h"
#include "core/store/Database.h"

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace postern::listd {

// How full the disk of the data folder was at the last look of a day, and how many objects the archive kept then.
struct DiskDay {
  TimePoint at;  // start of the day
  std::uint64_t used = 0;
  std::uint64_t free = 0;
  std::uint64_t stored = 0;
};

// The days are kept for 400 days. Threads: those of the connection. Errors: Error(Store).
class DiskStore {
public:
  explicit DiskStore(store::Database& database) : database_(database) {}

  void note(TimePoint now, std::uint64_t used, std::uint64_t free);
  std::vector<DiskDay> days(TimePoint from) const;  // oldest first

private:
  store::Database& database_;
};

// A straight line through what was used (least squares). Without seven days of looks there is none.
struct DiskForecast {
  bool known = false;
  std::int64_t growthPerDay = 0;    // bytes; negative: it gets emptier
  std::optional<TimePoint> fullAt;  // when only `reserve` is left and no mail is accepted; none within ten years
};
DiskForecast forecastOf(std::span<const DiskDay> days, TimePoint now, std::uint64_t reserve);

}  // namespace postern::listd
