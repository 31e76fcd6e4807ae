#pragma once
#include "core/base/Metrics.h"
#include "gateway/queue/QueueStore.h"
#include "gateway/smtp/Ports.h"

#include <atomic>

namespace postern::gateway {

// Counts sessions, messages and refusals, writes one line of log for each message, and hands refusals to listd through
// the queue. Threads: safe for all.
class GatewayCounters : public Observer {
public:
  explicit GatewayCounters(QueueStore& queue) : queue_(queue) {}

  void sessionOpened() override;
  void sessionClosed() override { --sessions_; }
  void connectionRefused() override;
  void accepted(std::string_view queueId, std::size_t recipients, std::size_t bytes) override;
  void refused(const app::RefusalEvent& event) override;

  void fillIn(app::GatewayStats& stats) const {
    stats.sessions = sessions_;
    stats.refusedTotal = refused_;
  }

private:
  QueueStore& queue_;
  std::atomic<std::uint64_t> sessions_{0};
  std::atomic<std::uint64_t> refused_{0};
  metrics::Counter& sessionsTotal_{metrics::counter("postern_smtp_sessions_total", "SMTP sessions since the start.")};
  metrics::Counter& turnedAway_{
      metrics::counter("postern_smtp_connections_refused_total", "Connections that were over a limit (421).")};
  metrics::Counter& acceptedTotal_{metrics::counter("postern_messages_accepted_total", "Messages answered with 250.")};
  metrics::Counter& discarded_{
      metrics::counter("postern_messages_discarded_total", "Messages that a policy discarded for all recipients.")};
  metrics::Counter& bytes_{metrics::counter("postern_messages_accepted_bytes_total", "Bytes of accepted messages.")};
};

}  // namespace postern::gateway
