#pragma once
#include "core/base/Clock.h"
#include "core/store/Database.h"

#include <chrono>
#include <cstdint>
#include <string_view>

namespace postern::listd {

// Who got which notice when, so that nobody gets more than one a day for one list and reason.
// Threads: those of the connection. Errors: Error(Store).
class NoticeStore {
public:
  static constexpr std::chrono::hours Interval{24};

  explicit NoticeStore(store::Database& database) : database_(database) {}

  // True when a notice may go now; it is then taken as sent.
  bool take(std::uint64_t listId, std::string_view address, std::string_view reason, TimePoint now);

private:
  store::Database& database_;
};

}  // namespace postern::listd
