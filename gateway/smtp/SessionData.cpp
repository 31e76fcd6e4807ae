#include "gateway/smtp/SessionData.h"

#include <algorithm>

namespace postern::gateway {

void SessionData::clientKnown() {
  mayXclient = !settings.submission && client.known &&
               std::any_of(settings.xclientHosts.begin(), settings.xclientHosts.end(),
                           [this](const net::IpRange& range) { return range.contains(client.address); });
}

void SessionData::findName(std::string_view asked) {
  if (names == nullptr) return;
  auto found = asked.empty() ? std::nullopt : names->byName(asked);
  if (!found) found = names->byAddress(door.address);
  const bool isNew = found && (!name || name->name != found->name);
  name = std::move(found);
  if (isNew) names->used(name->name, client.address, ServerNames::Use::Session);
}

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
