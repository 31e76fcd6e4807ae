#pragma once
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

namespace postern::gateway {

// The tails opened last, shared by the copies that are being sent. Threads: safe for all; one tail is opened at a time.
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
    while (bytes_ > maxBytes_ && order_.size() > 1) {
      bytes_ -= order_.back().second->size();
      byInstance_.erase(order_.back().first);
      order_.pop_back();
    }
    return tail;
  }

private:
  using Entry = std::pair<std::uint64_t, std::shared_ptr<const std::string>>;
  const std::size_t maxBytes_;
  std::mutex mutex_;
  std::size_t bytes_ = 0;
  std::list<Entry> order_;  // last used first
  std::unordered_map<std::uint64_t, std::list<Entry>::iterator> byInstance_;
};

}  // namespace postern::gateway
