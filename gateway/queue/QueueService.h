#pragma once
#include "core/app/GatewayLink.h"
#include "gateway/queue/QueueStore.h"
#include "gateway/queue/RoutingFile.h"

#include <functional>

namespace postern::gateway {

// What listd may ask of the gateway, answered from the queue and the routing file, which must outlive it.
// `fillIn` adds what only the SMTP server and the deliverer know (sessions, refusedTotal, problems); `routingChanged`
// is called after a new view is in force, `probe` asks the mail servers of a domain. A copy in the name of a list that
// the routing view calls secure is not taken without a floor. Threads: safe for all.
class QueueService : public app::GatewayService {
public:
  using Fetch = std::function<app::FetchedDocument(const app::DocumentRequest&)>;
  using Probe = std::function<app::DomainProbe(std::string_view domain, bool fresh, std::chrono::milliseconds wait)>;

  QueueService(QueueStore& queue, RoutingFile& routing, std::function<void(app::GatewayStats&)> fillIn = {},
               std::function<void()> routingChanged = {}, Probe probe = {}, Fetch fetch = {});

  void hello(std::string_view queueKey) override;
  void setRouting(const app::RoutingView& view) override;
  std::vector<app::AcceptedItem> takeAccepted(std::uint64_t session, std::uint32_t max,
                                              std::chrono::milliseconds wait) override;
  void sessionEnded(std::uint64_t session) override;
  void storeTail(std::uint64_t tail, std::string_view bytes) override;
  void submitCopies(std::vector<app::Copy> copies) override;
  void finish(const std::vector<std::uint64_t>& acceptedIds) override;
  std::vector<app::GatewayEvent> takeEvents(std::uint64_t acknowledged, std::uint32_t max,
                                            std::chrono::milliseconds wait) override;
  app::GatewayStats stats() override;
  std::vector<app::QueueEntry> queueList(std::uint32_t max) override;
  std::uint64_t queueAct(std::string_view action, std::uint64_t copyKey) override;
  app::FetchedDocument fetchDocument(const app::DocumentRequest& request) override;
  app::DomainProbe probeDomain(std::string_view domain, bool fresh, std::chrono::milliseconds wait) override;

private:
  QueueStore& queue_;
  RoutingFile& routing_;
  std::function<void(app::GatewayStats&)> fillIn_;
  std::function<void()> routingChanged_;
  Probe probe_;
  Fetch fetch_;
};

}  // namespace postern::gateway
