#include "listd/ledger/EventWorker.h"

#include "core/base/Error.h"
#include "core/base/Log.h"
#include "listd/ledger/EventRecorder.h"

namespace postern::listd {
namespace {

constexpr std::uint32_t AtOnce = 2000;
constexpr std::chrono::milliseconds WaitForEvents{1000};

}  // namespace

EventWorker::EventWorker(SiteContext& context, const GatewayAddress& address, SubmitGate& gate,
                         std::function<void()> reportPlanned)
    : context_(context),
      address_(address),
      gate_(gate),
      reportPlanned_(std::move(reportPlanned)),
      thread_([this](std::stop_token stop) { run(std::move(stop)); }) {}

void EventWorker::run(std::stop_token stop) {
  WorkerLink link(address_, stop);
  while (!stop.stop_requested()) {
    try {
      auto acknowledged =
          context_.site.read([](SiteTables& tables) { return tables.counters.get(CounterStore::Event); });
      link.get();
      while (!stop.stop_requested()) takeAll(link, acknowledged);
    } catch (const std::exception& error) {  // the boundary of a queue job: the events stay with the gateway
      if (stop.stop_requested()) return;
      log::warning("ledger", "events cannot be taken now", {{"error", error.what()}});
      link.drop();
      link.pause(std::chrono::milliseconds(100));
    }
  }
}

void EventWorker::takeAll(WorkerLink& link, std::uint64_t& acknowledged) {
  const auto events = link.get().takeEvents(acknowledged, AtOnce, WaitForEvents);
  if (events.empty()) return;
  const bool reports = context_.site.write([&](SiteTables& tables) { return recordEvents(tables, events); });
  if (reports) reportPlanned_();
  const SubmitGate::Acknowledging inside(gate_);
  link.get().takeEvents(events.back().sequence, 0, std::chrono::milliseconds(0));
  acknowledged = events.back().sequence;
}

}  // namespace postern::listd
