#include "core/policy/worker/Arena.h"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <limits>
#include <new>

namespace postern::policy::worker {

Arena::Arena(std::size_t capacity)
    : capacity_(capacity),
      region_(std::make_unique_for_overwrite<std::byte[]>(capacity)),
      outside_{&outside_, &outside_} {}

Arena::~Arena() {
  dropOutside();
}

Arena::Class Arena::classOf(std::size_t size) {
  if (size <= Fine) {
    const auto index = (size - 1) / Step;
    return {index, (index + 1) * Step};
  }
  const auto power = static_cast<std::size_t>(std::bit_width(size - 1)) - 1;  // 2^power < size <= 2^(power + 1)
  const auto quarter = std::size_t{1} << (power - 2);
  const auto steps = (size - 1 - (std::size_t{1} << power)) / quarter;  // 0 to 3
  return {Fine / Step + (power - 10) * 4 + steps, (std::size_t{1} << power) + (steps + 1) * quarter};
}

bool Arena::isInside(const void* block) const {
  const std::less<> before;
  return !before(block, region_.get()) && before(block, region_.get() + capacity_);
}

void* Arena::take(std::size_t size) {
  if (size <= capacity_) {
    const auto fit = classOf(size);
    if (auto*& first = free_[fit.index]; first != nullptr) {
      auto* const block = first;
      first = block->next;
      return block;
    }
    if (fit.size <= capacity_ - used_) {
      auto* const block = region_.get() + used_;
      used_ += fit.size;
      return block;
    }
  }
  if (size > std::numeric_limits<std::size_t>::max() - sizeof(Outside)) return nullptr;
  void* const memory = std::malloc(sizeof(Outside) + size);
  if (memory == nullptr) return nullptr;
  auto* const head = ::new (memory) Outside{outside_.next, &outside_};
  head->next->before = head;
  outside_.next = head;
  return head + 1;
}

void Arena::giveBack(void* block, std::size_t size) {
  if (block == nullptr) return;
  if (isInside(block)) {
    auto*& first = free_[classOf(size).index];
    first = ::new (block) Free{first};
    return;
  }
  auto* const head = static_cast<Outside*>(block) - 1;
  head->before->next = head->next;
  head->next->before = head->before;
  std::free(head);
}

void* Arena::resize(void* block, std::size_t oldSize, std::size_t newSize) {
  if (isInside(block) && newSize <= capacity_ && classOf(oldSize).index == classOf(newSize).index) return block;
  void* const moved = take(newSize);
  if (moved == nullptr) return nullptr;
  std::memcpy(moved, block, std::min(oldSize, newSize));
  giveBack(block, oldSize);
  return moved;
}

bool Arena::keep() {
  if (outside_.next != &outside_) return false;
  kept_.assign(region_.get(), region_.get() + used_);
  keptFree_ = free_;
  return true;
}

void Arena::goBack() {
  dropOutside();
  std::memcpy(region_.get(), kept_.data(), kept_.size());
  used_ = kept_.size();
  free_ = keptFree_;
}

void Arena::dropOutside() {
  while (outside_.next != &outside_) {
    auto* const head = outside_.next;
    outside_.next = head->next;
    std::free(head);
  }
  outside_.before = &outside_;
}

}  // namespace postern::policy::worker
