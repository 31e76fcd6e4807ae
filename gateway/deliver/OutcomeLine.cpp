#include "gateway/deliver/OutcomeLine.h"

#include "core/base/LogEvents.h"
#include "core/base/Metrics.h"

namespace postern::gateway {

namespace {

const log::Event& eventOf(app::DeliveryEvent::Outcome outcome) {
  using Outcome = app::DeliveryEvent::Outcome;
  switch (outcome) {
    case Outcome::Delivered:
      return log::events::CopyDelivered;
    case Outcome::Deferred:
      return log::events::CopyDeferred;
    case Outcome::Failed:
      return log::events::CopyFailed;
    case Outcome::Expired:
      return log::events::CopyExpired;
    case Outcome::Blocked:
      return log::events::CopyBlocked;
    case Outcome::Dropped:
      break;
  }
  return log::events::CopyDropped;
}

// "5.1.1" of the reply and nothing else of it: servers repeat addresses there. `postern trace` shows all of it.
std::string statusOf(const app::DeliveryEvent& event) {
  if (event.replyCode == 0) return {};
  const auto status = event.replyText.substr(0, event.replyText.find(' '));
  return status.find_first_not_of("0123456789.") == std::string::npos ? status : std::string();
}

}  // namespace

void tellOutcome(const app::DeliveryEvent& event) {
  metrics::counter("postern_delivery_attempts_total", "Attempts to deliver a copy by outcome and protection.",
                   {{"outcome", app::outcomeName(event.outcome)}, {"protection", protectionName(event.protection)}})
      .add();
  log::event(eventOf(event.outcome), {{"trace", event.trace},
                                      {"copy", event.copyKey},
                                      {"attempt", event.attempt},
                                      {"protection", protectionName(event.protection)},
                                      {"host", event.remoteHost},
                                      {"tls", event.tls.version},
                                      {"verified", event.tls.verification},
                                      {"code", event.replyCode},
                                      {"status", statusOf(event)},
                                      {"why", event.replyCode == 0 ? event.replyText : std::string()}});
}

}  // namespace postern::gateway
