#include "webadmin/pages/WebhookPages.h"
#include "webadmin/RecordViews.h"
#include "webadmin/RecordWords.h"
#include "webadmin/Views.h"

namespace postern::webadmin::pages {

using nlohmann::json;
using enum app::Role;

namespace {

std::string hookPath(std::string_view id) {
  return "/webhooks/" + percentEncode(id);
}

json stateBadge(const json& hook) {
  if (views::text(hook, "state") == "off") return {{"text", "Off"}, {"tone", "quiet"}};
  if (views::number(hook, "failingSince") > 0) return {{"text", "Fails"}, {"tone", "bad"}};
  if (views::number(hook, "lastAt") == 0) return {{"text", "Not called yet"}, {"tone", "wait"}};
  return {{"text", "Takes its calls"}, {"tone", "good"}};
}

json hookView(const json& hook, TimePoint now) {
  const auto id = std::to_string(views::number(hook, "id"));
  const auto answer = views::text(hook, "lastAnswer");
  const auto waiting = views::number(hook, "waiting");
  return {{"id", id},
          {"path", hookPath(id)},
          {"url", views::text(hook, "url")},
          {"account", views::text(hook, "account")},
          {"badge", stateBadge(hook)},
          {"isOn", views::text(hook, "state") == "on"},
          {"addedBy", views::text(hook, "addedBy")},
          {"addedAt", views::time(hook, "addedAt", now)},
          {"failingSince", views::time(hook, "failingSince", now)},
          {"lastAt", views::time(hook, "lastAt", now)},
          {"answer", answer == "taken" ? std::string() : answer},
          {"waiting", waiting == 0 ? std::string("nothing") : words::plural(waiting, "event", "events")}};
}

// The accounts that can be chosen: what an account that is shut out sends is nothing.
json accountChoices(const Visit& visit, const std::string& chosen) {
  json choices = json::array();
  const auto known = visit.order("account.list");
  for (const auto& account : views::part(known, "items"))
    if (views::text(account, "state") != "disabled")
      choices.push_back({{"name", views::text(account, "name")}, {"chosen", views::text(account, "name") == chosen}});
  return choices;
}

Response draw(const Visit& visit, int status, const json& refusal) {
  const auto& form = visit.request.form;
  json rows = json::array();
  const auto known = visit.order("webhook.list");
  for (const auto& hook : views::part(known, "items")) rows.push_back(hookView(hook, visit.now()));
  const bool mayAdd = views::may(visit, Admin);
  return visit.page("webhooks", {"Webhooks", "webhooks", status},
                    {{"rows", rows},
                     {"hasRows", !rows.empty()},
                     {"mayAdd", mayAdd},
                     {"accounts", mayAdd ? accountChoices(visit, form.get("account")) : json::array()},
                     {"url", form.get("url")},
                     {"refusal", refusal}});
}

json findHook(const Visit& visit) {
  const auto id = visit.param("id");
  const auto known = visit.order("webhook.list");
  for (const auto& hook : views::part(known, "items"))
    if (std::to_string(views::number(hook, "id")) == id) return hook;
  throw app::OrderRefused({"not-found", "There is no webhook " + id + ".", "It may have been removed."});
}

Response drawHook(const Visit& visit, int status, json more) {
  auto view = hookView(findHook(visit), visit.now());
  view["mayChange"] = views::may(visit, Admin);
  view.update(more);
  return visit.page("webhook", {"Webhook " + visit.param("id"), "webhooks", status}, std::move(view));
}

Response drawRemoval(const Visit& visit, int status, const json& refusal) {
  auto view = hookView(findHook(visit), visit.now());
  view["refusal"] = refusal;
  return visit.page("webhook-remove", {"Remove a webhook", "webhooks", status}, std::move(view));
}

}  // namespace

Response webhooks(Visit& visit) {
  return draw(visit, 200, nullptr);
}

Response addWebhook(Visit& visit) {
  const auto& form = visit.request.form;
  try {
    const auto made = visit.order("webhook.add", {{"account", form.get("account")}, {"url", form.get("url")}});
    visit.params["id"] = std::to_string(views::number(made, "id"));
    return drawHook(visit, 200, {{"secret", views::text(made, "secret")}});
  } catch (const app::OrderRefused& refused) {
    return draw(visit, 422, views::refusal(refused));
  }
}

Response webhook(Visit& visit) {
  return drawHook(visit, 200, json::object());
}

Response actOnWebhook(Visit& visit) {
  const auto id = visit.param("id");
  const auto act = visit.request.form.get("act");
  try {
    if (act == "test") {
      const auto answer = visit.order("webhook.test", {{"id", id}});
      return drawHook(
          visit, 200,
          {{"tested", true}, {"taken", views::flag(answer, "taken")}, {"said", views::text(answer, "answer")}});
    }
    visit.order("webhook.set", {{"id", id}, {"state", act == "off" ? "off" : "on"}});
  } catch (const app::OrderRefused& refused) {
    return drawHook(visit, 422, {{"refusal", views::refusal(refused)}});
  }
  return Response::redirect(hookPath(id) + (act == "off" ? "?done=webhook-off" : "?done=webhook-on"));
}

Response confirmWebhookRemoval(Visit& visit) {
  return drawRemoval(visit, 200, nullptr);
}

Response removeWebhook(Visit& visit) {
  try {
    visit.order("webhook.remove", {{"id", visit.param("id")}});
  } catch (const app::OrderRefused& refused) {
    return drawRemoval(visit, 422, views::refusal(refused));
  }
  return Response::redirect("/webhooks?done=webhook-removed");
}

}  // namespace postern::webadmin::pages
