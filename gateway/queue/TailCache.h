#pragma once
#include <cstdint>
#include <functional>
#include <iterator>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

namespace postern::gateway {

// The tails opened last, shared by the copies that are being sent. Those that no copy waits for are to be forgotten, or
// the posts of yesterday would fill it. Threads: safe for all; one tail is opened at a time.
class TailCache {
public:
  explicit TailCache(std::size_t maxBytes) : maxBytes_(maxBytes) {}

  using Open = std::function<std::string()>;
  std::shared_ptr<const std::string> get(std::uint64_t instance, const Open& open) {
    std::lock_guard lock(mutex_);
    const auto found = byInstance_.find(instance);
    if (found != byInstance_.end()) {
      order_.splice(order_.begin(), order_, found->second);
      return found->second->second;
    }
    auto tail = std::make_shared<const std::string>(open());
    order_.emplace_front(instance, tail);
    byInstance_.emplace(instance, order_.begin());
    bytes_ += tail->size();
    while (bytes_ > maxBytes_ && order_.size() > 1) drop(std::prev(order_.end()));
    return tail;
  }

  std::vector<std::uint64_t> instances() const {
    std::lock_guard lock(mutex_);
    std::vector<std::uint64_t> kept;
    for (const auto& entry : order_) kept.push_back(entry.first);
    return kept;
  }
  void forget(const std::vector<std::uint64_t>& instances) {
    std::lock_guard lock(mutex_);
    for (const auto instance : instances)
      if (const auto found = byInstance_.find(instance); found != byInstance_.end()) drop(found->second);
  }

private:
  using Entry = std::pair<std::uint64_t, std::shared_ptr<const std::string>>;
  void drop(std::list<Entry>::iterator entry) {
    bytes_ -= entry->second->size();
    byInstance_.erase(entry->first);
    order_.erase(entry);
  }

  const std::size_t maxBytes_;
  mutable std::mutex mutex_;
  std::size_t bytes_ = 0;
  std::list<Entry> order_;  // last used first
  std::unordered_map<std::uint64_t, std::list<Entry>::iterator> byInstance_;
};

}  // namespace postern::gateway
