#pragma once
#include "listd/expand/SubmitGate.h"
#include "listd/expand/WorkerLink.h"
#include "listd/site/SiteContext.h"

#include <functional>
#include <stop_token>
#include <thread>

namespace postern::listd {

// The thread that takes the gateway's events into the ledger and acknowledges them once they are committed.
// `reportPlanned` is called when a post has a report to send.
class EventWorker {
public:
  EventWorker(SiteContext& context, const GatewayAddress& address, SubmitGate& gate,
              std::function<void()> reportPlanned);

private:
  void run(std::stop_token stop);
  void takeAll(WorkerLink& link, std::uint64_t& acknowledged);

  SiteContext& context_;
  const GatewayAddress& address_;
  SubmitGate& gate_;
  std::function<void()> reportPlanned_;
  std::jthread thread_;  // last: it uses all of the above
};

}  // namespace postern::listd
