#pragma once
#include "listd/expand/SubmitGate.h"
#include "listd/expand/WorkerLink.h"
#include "listd/site/SiteContext.h"

#include <stop_token>
#include <thread>

namespace postern::listd {

// Hands what is planned in the outbox to the gateway, once; see SubmitGate for why a crash at any place sends nothing
// twice: a mail is handed over again under its copy key until it is known to be there. How many it handed over.
// Errors: Error(Unavailable) when the link broke; Error(Store).
std::size_t handOverSiteMail(SiteContext& context, SubmitGate& gate, app::GatewayLink& link);

// The thread that does so, each second.
class SiteMailWorker {
public:
  SiteMailWorker(SiteContext& context, const GatewayAddress& address, SubmitGate& gate);

private:
  void run(std::stop_token stop);

  SiteContext& context_;
  const GatewayAddress& address_;
  SubmitGate& gate_;
  std::jthread thread_;  // last: it uses all of the above
};

}  // namespace postern::listd
