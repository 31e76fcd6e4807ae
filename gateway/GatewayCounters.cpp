#include "gateway/GatewayCounters.h"

#include "core/base/LogEvents.h"

namespace postern::gateway {

void GatewayCounters::sessionOpened() {
  ++sessions_;
  sessionsTotal_.add();
}

void GatewayCounters::connectionRefused() {
  turnedAway_.add();
}

void GatewayCounters::accepted(std::string_view queueId, std::size_t recipients, std::size_t bytes) {
  (recipients > 0 ? acceptedTotal_ : discarded_).add();
  if (recipients > 0) bytes_.add(bytes);
  log::event(recipients > 0 ? log::events::MessageAccepted : log::events::MessageDiscarded,
             {{"trace", queueId}, {"recipients", recipients}, {"bytes", bytes}});
}

void GatewayCounters::refused(const app::RefusalEvent& event) {
  ++refused_;
  metrics::counter("postern_refused_total", "Messages and recipients that were refused or deferred, by reason.",
                   {{"reason", event.reason}, {"code", std::to_string(event.code)}})
      .add();
  // Neither sender nor recipients: who they are stands in the audit log, which is for fewer eyes.
  log::event(log::events::MessageRefused, {{"client", event.clientAddress},
                                           {"code", event.code},
                                           {"enhanced", event.enhanced},
                                           {"reason", event.reason},
                                           {"policy", event.policy},
                                           {"recipients", event.recipients.size()}});
  queue_.recordRefusal(event);
}

}  // namespace postern::gateway
