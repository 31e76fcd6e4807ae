#include "gateway/smtp/SessionData.h"

namespace postern::gateway {

void SessionData::report(const smtp::Reply& reply, std::string_view reason, std::string_view policy,
                         std::string_view recipient) const {
  app::RefusalEvent event;
  event.at = clock.now();
  event.clientAddress = client.address;
  if (transaction) event.mailFrom = transaction->mailFrom();
  if (!recipient.empty()) {
    event.recipients.emplace_back(recipient);
  } else if (transaction) {
    for (const auto& known : transaction->recipients) event.recipients.push_back(known.address.text());
  }
  event.code = reply.code;
  event.enhanced = reply.enhanced;
  event.reason = reason;
  event.policy = policy;
  observer.refused(event);
}

}  // namespace postern::gateway
