#include "listd/matters/HoldCountStore.h"

namespace postern::listd {

std::optional<HoldCount> HoldCountStore::find(std::uint64_t holdId) const {
  auto select = database_.prepare("SELECT hold_id, objects, growth, counted_at FROM hold_counts WHERE hold_id = ?");
  if (!select.bind(holdId).step()) return std::nullopt;
  return HoldCount{select.unsignedInteger(0), select.unsignedInteger(1), select.unsignedInteger(2), select.time(3)};
}

void HoldCountStore::set(const HoldCount& count) {
  database_.prepare("INSERT OR REPLACE INTO hold_counts (hold_id, objects, growth, counted_at) VALUES (?, ?, ?, ?)")
      .bind(count.holdId, count.objects, count.growth24h, count.countedAt)
      .run();
}

}  // namespace postern::listd
