#pragma once
#include "core/base/Mutex.h"
#include "listd/expand/PostSender.h"
#include "listd/expand/WorkerLink.h"

#include <cstdint>
#include <optional>
#include <set>
#include <stop_token>
#include <thread>
#include <vector>

namespace postern::listd {

// The threads that hand planned posts to the gateway, each one post at a time, so that a large or broken post never
// stops the others. A post that fails keeps its place in site.db with the reason and is tried again later.
// Threads: wake() is safe for all.
class SendWorkers {
public:
  static constexpr unsigned Workers = 8;

  SendWorkers(SiteContext& context, const GatewayAddress& address, SubmitGate& gate);
  ~SendWorkers();

  void wake();  // a post was planned: one worker looks, and wakes the next if there is more

private:
  void run(std::stop_token stop);
  void sendOne(PostSender& sender, WorkerLink& link, std::uint64_t postId);
  void noteTrouble(std::uint64_t postId, const std::string& text);
  std::optional<std::uint64_t> claim();
  void release(std::uint64_t postId);
  std::uint64_t wakes();
  void wakeOne() REQUIRES_LOCK(mutex_);
  void waitForWork(const std::stop_token& stop, std::uint64_t seen);

  SiteContext& context_;
  const GatewayAddress& address_;
  SubmitGate& gate_;
  const Sealers sealers_;
  Mutex mutex_;
  Condition changed_;
  std::set<std::uint64_t> claimed_ GUARDED_BY(mutex_);
  std::uint64_t wakes_ GUARDED_BY(mutex_) = 0;
  std::vector<std::jthread> threads_;  // last: they use all of the above
};

}  // namespace postern::listd
