#include "gateway/queue/KeyMemory.h"

#include <algorithm>

namespace postern::gateway {

void KeyMemory::addRange(std::uint64_t first, std::uint64_t last, std::uint64_t generation) {
  auto next = ranges_.upper_bound(first);
  if (next != ranges_.begin()) {
    const auto before = std::prev(next);
    const bool touches = before->second.last >= first || before->second.last + 1 == first;
    if (touches) next = before;
  }
  while (next != ranges_.end() && (next->first <= last || next->first == last + 1)) {
    first = std::min(first, next->first);
    last = std::max(last, next->second.last);
    generation = std::max(generation, next->second.generation);
    next = ranges_.erase(next);
  }
  ranges_.emplace_hint(next, first, Range{last, generation});
  changed_ = true;
}

bool KeyMemory::contains(std::uint64_t key) const {
  auto next = ranges_.upper_bound(key);
  return next != ranges_.begin() && std::prev(next)->second.last >= key;
}

void KeyMemory::forgetBefore(std::uint64_t lowestUnfinished) {
  const auto gone =
      std::erase_if(ranges_, [&](const auto& range) { return range.second.generation < lowestUnfinished; });
  if (gone > 0) changed_ = true;
}

}  // namespace postern::gateway
