#pragma once
#include "core/app/GatewayLink.h"
#include "core/vault/RootKey.h"
#include "listd/webhooks/WebhookStore.h"

#include <string>

namespace postern::listd {

// What a program checks calls with, by the rules of Standard Webhooks: "whsec_" and base64 of 32 bytes. Derived from
// the site's key and the salt, so that it is kept nowhere.
std::string webhookSecret(const vault::RootKey& root, std::string_view salt);

// The POST that tells the event: JSON, with the fields webhook-id, webhook-timestamp and webhook-signature. Says
// nothing of what the message says.
app::DocumentRequest webhookCall(const vault::RootKey& root, const Webhook& hook, const WebhookEvent& event,
                                 TimePoint now);

// When a webhook that did not take an event is called again.
std::chrono::seconds webhookRest(std::uint32_t tries);

}  // namespace postern::listd
