#pragma once
#include "core/app/GatewayLink.h"
#include "listd/expand/WorkerLink.h"
#include "listd/site/SiteContext.h"

#include <functional>
#include <stop_token>
#include <thread>

namespace postern::listd {

// Calls each webhook that is due once; how many took their event.
std::size_t callWebhooks(SiteContext& context,
                         const std::function<app::FetchedDocument(const app::DocumentRequest&)>& fetch);

// Tells webhooks what became of mail, the events of each in their order, through the gateway, which looks at the
// addresses. One that does not answer rests longer each time and holds up nothing but itself and, for as long as a call
// may take, the others; an event that was not taken for three days is given up. Threads: its own. Ownership: `context`
// and `address` must outlive it.
class WebhookWorker {
public:
  WebhookWorker(SiteContext& context, const GatewayAddress& address);

private:
  void run(std::stop_token stop);

  SiteContext& context_;
  const GatewayAddress& address_;
  std::jthread thread_;  // last: it uses all of the above
};

}  // namespace postern::listd
