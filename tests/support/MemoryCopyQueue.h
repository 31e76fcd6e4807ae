#pragma once
#include "core/base/Error.h"
#include "gateway/deliver/CopyQueue.h"

#include <condition_variable>
#include <map>
#include <mutex>
#include <vector>

namespace postern::test {

// An outbound queue in memory, with the failures that a durable one can have. Threads: safe for all.
class MemoryCopyQueue : public gateway::CopyQueue {
public:
  void put(const gateway::CopySummary& summary, gateway::LoadedCopy copy) { putAll({{summary, std::move(copy)}}); }

  void putAll(std::vector<std::pair<gateway::CopySummary, gateway::LoadedCopy>> copies) {
    std::vector<gateway::CopySummary> summaries;
    gateway::QueueListener* listener = nullptr;
    {
      const std::lock_guard lock(mutex_);
      for (auto& [summary, copy] : copies) {
        summaries.push_back(summary);
        copies_[summary.key] = {summary, std::move(copy)};
      }
      listener = listener_;
    }
    if (listener) listener->copiesQueued(summaries);
  }

  void setListener(gateway::QueueListener* listener) override {
    const std::lock_guard lock(mutex_);
    listener_ = listener;
  }
  void forEachWaiting(const std::function<void(const gateway::CopySummary&)>& show) const override {
    const std::lock_guard lock(mutex_);
    for (const auto& [key, copy] : copies_) show(copy.first);
  }
  std::optional<gateway::LoadedCopy> load(std::uint64_t key) override {
    const std::lock_guard lock(mutex_);
    if (locked_) throw Error(ErrorKind::Unavailable, "no queue key");
    const auto found = copies_.find(key);
    if (found == copies_.end()) return std::nullopt;
    return found->second.second;
  }
  void record(app::DeliveryEvent event) override {
    const std::lock_guard lock(mutex_);
    if (event.outcome != app::DeliveryEvent::Outcome::Deferred) {
      copies_.erase(event.copyKey);
      ++finished_;
    }
    if (keepEvents) events_.push_back(std::move(event));
    changed_.notify_all();
  }
  bool healthy() const override {
    const std::lock_guard lock(mutex_);
    return healthy_;
  }

  void setHealthy(bool healthy) {
    gateway::QueueListener* listener = nullptr;
    {
      const std::lock_guard lock(mutex_);
      healthy_ = healthy;
      listener = listener_;
    }
    if (listener) listener->healthChanged(healthy);
  }
  void setLocked(bool locked) {
    gateway::QueueListener* listener = nullptr;
    {
      const std::lock_guard lock(mutex_);
      locked_ = locked;
      listener = listener_;
    }
    if (listener && !locked) listener->queueKeySet();
  }
  gateway::QueueListener& listener() { return *listener_; }

  std::vector<app::DeliveryEvent> events() const {
    const std::lock_guard lock(mutex_);
    return events_;
  }
  bool waitForEvents(std::size_t count, std::chrono::milliseconds limit = std::chrono::seconds(20)) const {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, limit, [&] { return events_.size() >= count; });
  }
  bool waitForFinished(std::size_t count, std::chrono::milliseconds limit = std::chrono::seconds(20)) const {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, limit, [&] { return finished_ >= count; });
  }

  bool keepEvents = true;

private:
  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  std::map<std::uint64_t, std::pair<gateway::CopySummary, gateway::LoadedCopy>> copies_;
  std::vector<app::DeliveryEvent> events_;
  std::size_t finished_ = 0;
  gateway::QueueListener* listener_ = nullptr;
  bool healthy_ = true;
  bool locked_ = false;
};

}  // namespace postern::test
