#pragma once
#include "gateway/queue/QueueStore.h"
#include "gateway/smtp/Ports.h"

#include <atomic>

namespace postern::gateway {

// Counts sessions and refusals and hands refusals to listd through the queue. Threads: safe for all.
class GatewayCounters : public Observer {
public:
  explicit GatewayCounters(QueueStore& queue) : queue_(queue) {}

  void sessionOpened() override { ++sessions_; }
  void sessionClosed() override { --sessions_; }
  void refused(const app::RefusalEvent& event) override {
    ++refused_;
    queue_.recordRefusal(event);
  }

  void fillIn(app::GatewayStats& stats) const {
    stats.sessions = sessions_;
    stats.refusedTotal = refused_;
  }

private:
  QueueStore& queue_;
  std::atomic<std::uint64_t> sessions_{0};
  std::atomic<std::uint64_t> refused_{0};
};

}  // namespace postern::gateway
