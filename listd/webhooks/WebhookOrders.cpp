#include "listd/webhooks/WebhookOrders.h"

#include "core/app/GatewayLink.h"
#include "core/base/Error.h"
#include "core/base/Log.h"
#include "core/crypto/Random.h"
#include "listd/orders/OrderTools.h"
#include "listd/orders/Views.h"
#include "listd/webhooks/WebhookCall.h"

namespace postern::listd {

using nlohmann::json;

namespace {

constexpr std::size_t MostWebhooks = 100;
constexpr std::size_t LongestUrl = 500;

json viewOf(const Webhook& hook) {
  return {{"id", hook.id},
          {"account", hook.account},
          {"url", hook.url},
          {"state", hook.on ? "on" : "off"},
          {"addedBy", hook.addedBy},
          {"addedAt", toMicros(hook.addedAt)},
          {"failingSince", toMicros(hook.failingSince)},
          {"lastAt", toMicros(hook.lastAt)},
          {"lastAnswer", hook.lastAnswer},
          {"waiting", hook.waiting}};
}

void note(const OrderCall& call, const Webhook& hook) {
  call.note.objectType = "webhook";
  call.note.objectId = std::to_string(hook.id);
  call.note.person("account", hook.account);
}

// Where it leads is looked at when it is called; here only what can be no address at all.
std::string requireUrl(const Args& args) {
  auto url = args.text("url", LongestUrl);
  const bool plain = url.find_first_of(" \t\r\n\"<>\\^`{|}@#") == url.npos;
  if (!url.starts_with("https://") || url.size() < 10 || !plain)
    refuse("invalid", "this is not the address of a webhook",
           "give an https:// address without a name and password in it");
  return url;
}

Webhook requireHook(SiteTables& tables, std::uint64_t id) {
  auto hook = tables.webhooks.find(id);
  if (!hook) refuse("not-found", "there is no webhook " + std::to_string(id), "see: postern webhook list");
  return std::move(*hook);
}

json addHook(OrderTools& tools, const OrderCall& call) {
  Webhook hook;
  hook.account = call.args.text("account", 64);
  hook.url = requireUrl(call.args);
  hook.salt = crypto::randomBytes(32);
  hook.addedBy = call.actor.name;
  hook.addedAt = tools.now();
  return change(tools, call, [&](SiteTables& tables) {
    if (!tables.accounts.find(hook.account))
      refuse("not-found", "there is no account " + hook.account, "see: postern user list");
    if (tables.webhooks.all().size() >= MostWebhooks)
      refuse("refused", "there are " + std::to_string(MostWebhooks) + " webhooks already", "remove one first");
    const auto id = tables.webhooks.add(hook);
    if (!id) refuse("exists", "this address is called for this account already", "see: postern webhook list");
    hook.id = *id;
    note(call, hook);
    auto view = viewOf(hook);
    view["secret"] = webhookSecret(tools.context.root, hook.salt);
    return view;
  });
}

json listHooks(OrderTools& tools, const OrderCall&) {
  return tools.context.site.read([](SiteTables& tables) {
    auto items = json::array();
    for (const auto& hook : tables.webhooks.all()) items.push_back(viewOf(hook));
    return pageOf(std::move(items), {});
  });
}

json setHook(OrderTools& tools, const OrderCall& call) {
  const auto id = call.args.id("id");
  const auto state = call.args.text("state", 10);
  if (state != "on" && state != "off") refuse("usage", "\"state\" is on or off");
  return change(tools, call, [&](SiteTables& tables) {
    note(call, requireHook(tables, id));
    tables.webhooks.setOn(id, state == "on");
    return viewOf(requireHook(tables, id));
  });
}

// On a connection of its own: a program that does not answer holds up nobody else.
app::FetchedDocument fetchNow(const OrderTools& tools, const app::DocumentRequest& request) {
  try {  // the boundary to another process
    return app::GatewayLink(tools.context.config.gatewaySocket().string()).fetchDocument(request);
  } catch (const Error& error) {
    log::warning("webhook", "the gateway cannot be asked", {{"error", error.what()}});
    refuse("unavailable", "the gateway cannot be asked just now", "see: postern status");
  }
}

// Calls it now, with an event that is no message's, and says what it answers.
json testHook(OrderTools& tools, const OrderCall& call) {
  const auto id = call.args.id("id");
  const auto hook = tools.context.site.read([&](SiteTables& tables) { return requireHook(tables, id); });
  WebhookEvent event;
  event.event = "test";
  event.at = tools.now();
  const auto request = webhookCall(tools.context.root, hook, event, tools.now());
  const auto answer = fetchNow(tools, request);
  note(call, hook);
  const bool took = answer.outcome == app::FetchedDocument::Outcome::Got;
  return change(tools, call, [&](SiteTables&) {
    return json{{"id", id}, {"taken", took}, {"answer", took ? "taken" : answer.problem}};
  });
}

json removeHook(OrderTools& tools, const OrderCall& call) {
  const auto id = call.args.id("id");
  return change(tools, call, [&](SiteTables& tables) {
    note(call, requireHook(tables, id));
    tables.webhooks.remove(id);
    return json{{"id", id}};
  });
}

using app::Role;

constexpr OrderRow Rows[] = {
    {"webhook.add", OrderKind::Changes, addHook, {Role::Admin, true}},
    {"webhook.list", OrderKind::Reads, listHooks, {Role::Admin | Role::Auditor}},
    {"webhook.set", OrderKind::Changes, setHook, {Role::Admin}},
    {"webhook.test", OrderKind::Changes, testHook, {Role::Admin}},
    {"webhook.remove", OrderKind::Changes, removeHook, {Role::Admin}},
};

}  // namespace

std::span<const OrderRow> webhookOrders() {
  return Rows;
}

}  // namespace postern::listd
