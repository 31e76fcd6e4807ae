#include "gateway/queue/QueueService.h"

namespace postern::gateway {

QueueService::QueueService(QueueStore& queue, RoutingFile& routing, std::function<void(app::GatewayStats&)> fillIn,
                           std::function<void()> routingChanged)
    : queue_(queue), routing_(routing), fillIn_(std::move(fillIn)), routingChanged_(std::move(routingChanged)) {}

void QueueService::hello(std::string_view queueKey) {
  queue_.setQueueKey(queueKey);
}

void QueueService::setRouting(const app::RoutingView& view) {
  routing_.set(view);
  if (routingChanged_) routingChanged_();
}

std::vector<app::AcceptedItem> QueueService::takeAccepted(std::uint64_t session, std::uint32_t max,
                                                          std::chrono::milliseconds wait) {
  return queue_.takeAccepted(session, max, wait);
}

void QueueService::sessionEnded(std::uint64_t session) {
  queue_.sessionEnded(session);
}
void QueueService::storeTail(std::uint64_t tail, std::string_view bytes) {
  queue_.storeTail(tail, bytes);
}
void QueueService::submitCopies(std::vector<app::Copy> copies) {
  queue_.submitCopies(std::move(copies));
}
void QueueService::finish(const std::vector<std::uint64_t>& acceptedIds) {
  queue_.finish(acceptedIds);
}

std::vector<app::GatewayEvent> QueueService::takeEvents(std::uint64_t acknowledged, std::uint32_t max,
                                                        std::chrono::milliseconds wait) {
  return queue_.takeEvents(acknowledged, max, wait);
}

app::GatewayStats QueueService::stats() {
  auto stats = queue_.stats();
  if (fillIn_) fillIn_(stats);
  return stats;
}

std::vector<app::QueueEntry> QueueService::queueList(std::uint32_t max) {
  return queue_.queueList(max);
}

std::uint64_t QueueService::queueAct(std::string_view action, std::uint64_t copyKey) {
  return queue_.queueAct(action, copyKey);
}

}  // namespace postern::gateway
