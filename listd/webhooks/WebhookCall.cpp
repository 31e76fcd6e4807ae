#include "listd/webhooks/WebhookCall.h"

#include "core/crypto/Digest.h"
#include "core/crypto/Encoding.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace postern::listd {

using nlohmann::json;

namespace {

constexpr std::uint32_t MostAnswer = 16 * 1024;

std::string keyOf(const vault::RootKey& root, std::string_view salt) {
  return crypto::hmacSha256(root.derive("webhook signing secrets"), salt);
}

}  // namespace

std::string webhookSecret(const vault::RootKey& root, std::string_view salt) {
  return "whsec_" + crypto::base64(keyOf(root, salt));
}

app::DocumentRequest webhookCall(const vault::RootKey& root, const Webhook& hook, const WebhookEvent& event,
                                 TimePoint now) {
  json data{{"id", std::to_string(event.post)}, {"trace", event.queueId}};
  if (!event.recipient.empty()) data["recipient"] = event.recipient;
  if (!event.protection.empty()) data["protection"] = event.protection;
  const json body{
      {"type", "message." + event.event}, {"timestamp", formatRfc3339(event.at)}, {"data", std::move(data)}};
  app::DocumentRequest call;
  call.url = hook.url;
  call.question = body.dump(-1, ' ', false, json::error_handler_t::replace);
  call.type = "application/json";
  call.maxBytes = MostAnswer;
  call.secureOnly = true;
  call.webhook = true;
  const auto id = "evt_" + std::to_string(event.id);
  const auto time = std::to_string(toMicros(now) / 1'000'000);
  const auto signature = crypto::hmacSha256(keyOf(root, hook.salt), id + "." + time + "." + call.question);
  call.fields = {"webhook-id: " + id, "webhook-timestamp: " + time,
                 "webhook-signature: v1," + crypto::base64(signature)};
  return call;
}

std::chrono::seconds webhookRest(std::uint32_t tries) {
  constexpr std::chrono::seconds Rests[] = {std::chrono::seconds(5),  std::chrono::seconds(30), std::chrono::minutes(2),
                                            std::chrono::minutes(10), std::chrono::minutes(30), std::chrono::hours(1),
                                            std::chrono::hours(3)};
  return Rests[std::min<std::size_t>(tries, std::size(Rests) - 1)];
}

}  // namespace postern::listd
