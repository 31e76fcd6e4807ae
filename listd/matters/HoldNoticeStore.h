#pragma once
#include "core/base/Clock.h"
#include "core/store/Database.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace postern::listd {

// What a custodian was told of one hold.
struct HoldNotice {
  std::uint64_t id = 0;
  std::uint64_t holdId = 0;
  std::uint64_t matterId = 0;
  std::string address;
  TimePoint sentAt;
  TimePoint remindedAt;  // zero: never
  std::uint32_t reminders = 0;
  TimePoint acknowledgedAt;  // zero: not yet
};

// Threads: those of the connection. Errors: Error(Store).
class HoldNoticeStore {
public:
  explicit HoldNoticeStore(store::Database& database) : database_(database) {}

  std::uint64_t add(const HoldNotice& notice);  // 0: the custodian has been told of this hold
  std::optional<HoldNotice> find(std::uint64_t id) const;
  std::vector<HoldNotice> ofMatter(std::uint64_t matterId) const;
  // Not acknowledged, of a hold that is not released and a custodian who is still one, and last written to before
  // `before`.
  std::vector<HoldNotice> toRemind(TimePoint before) const;
  void noteReminder(std::uint64_t id, TimePoint at);
  bool acknowledge(std::uint64_t id, TimePoint at);  // false: it was already

private:
  store::Database& database_;
};

}  // namespace postern::listd
