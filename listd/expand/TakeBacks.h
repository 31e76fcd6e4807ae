#pragma once
#include "listd/expand/GatewayControl.h"
#include "listd/site/SiteContext.h"

#include <stop_token>
#include <thread>

namespace postern::listd {

// Takes copies back from the gateway that could not have verified TLS within their list's time and may be protected in
// another way. That it asks is committed before it asks; the recipient is planned anew only by the gateway's own event
// that the copy was dropped (ledger/EventRecorder), so no recipient ever gets two. A copy that is on its way at that
// moment is asked for again a minute later; one that may not be sent in another way stays until it expires.
class TakeBacks {
public:
  TakeBacks(SiteContext& context, GatewayControl& gateway);

  // How many copies the gateway gave back.
  std::uint64_t runOnce();

private:
  void run(const std::stop_token& stop);
  std::vector<std::uint64_t> askFor(std::uint64_t postId, std::uint64_t& after, TimePoint now);

  SiteContext& context_;
  GatewayControl& gateway_;
  std::jthread thread_;  // last: it uses all of the above
};

}  // namespace postern::listd
