#include "webadmin/pages/PickupPages.h"
#include "webadmin/RecordWords.h"
#include "webadmin/Views.h"
#include "webadmin/Words.h"

namespace postern::webadmin::pages {

using nlohmann::json;
using enum app::Role;

namespace {

json badgeOf(const json& item) {
  const auto state = views::text(item, "state");
  if (state == "recalled") return {{"text", "Recalled"}, {"tone", "bad"}};
  if (state == "expired") return {{"text", "Expired"}, {"tone", "quiet"}};
  if (state == "given-up") return {{"text", "Given up by the recipient"}, {"tone", "quiet"}};
  if (views::number(item, "openedAt") > 0) return {{"text", "Opened"}, {"tone", "good"}};
  return {{"text", "Waits"}, {"tone", "wait"}};
}

json rowOf(const json& item, TimePoint now) {
  return {{"id", views::text(item, "id")},
          {"path", "/waiting/" + views::text(item, "id")},
          {"recipient", views::text(item, "recipient")},
          {"list", views::text(item, "list")},
          {"listPath", "/waiting?list=" + percentEncode(views::text(item, "list"))},
          {"post", views::text(item, "post")},
          {"postPath", views::postPath(views::text(item, "post"))},
          {"badge", badgeOf(item)},
          {"sentAt", views::time(item, "createdAt", now)},
          {"expiresAt", views::time(item, "expiresAt", now)},
          {"openedAt", views::time(item, "openedAt", now)},
          {"openedNetwork", views::text(item, "openedNetwork")},
          {"openedSession", views::text(item, "openedSession")},
          {"opens", words::plural(views::number(item, "opens"), "time", "times")},
          {"resentAt", views::time(item, "resentAt", now)},
          {"endedAt", views::time(item, "endedAt", now)},
          {"reportedAt", views::time(item, "reportedAt", now)},
          {"report", views::text(item, "report")},
          {"waits", views::text(item, "state") == "waiting"},
          {"keyDestroyed", views::flag(item, "keyDestroyed")}};
}

bool may(const Visit& visit, app::Roles roles) {
  return visit.session->roles().meets(roles);
}

Response drawItem(Visit& visit, int status, const json& refusal) {
  auto row = rowOf(visit.order("pickup.show", {{"id", visit.param("item")}}), visit.now());
  row["refusal"] = refusal;
  row["mayRecall"] = may(visit, Officer | Owner);
  row["mayResend"] = may(visit, Admin | Helpdesk | Owner);
  return visit.page("waiting-item", {"Pick-up item", "waiting", status}, row);
}

}  // namespace

Response waiting(Visit& visit) {
  json args{{"limit", 50}};
  for (const auto* name : {"list", "state", "after"})
    if (const auto value = visit.request.query.get(name); !value.empty()) args[name] = value;
  const auto shown = visit.order("pickup.list", args);
  json rows = json::array();
  for (const auto& item : views::part(shown, "items")) rows.push_back(rowOf(item, visit.now()));
  const auto list = visit.request.query.get("list");
  const auto state = visit.request.query.get("state");
  return visit.page("waiting", {"Waiting for pick-up", "waiting"},
                    {{"items", rows},
                     {"any", !rows.empty()},
                     {"settingsPath", list.empty() ? std::string() : views::listPath(list) + "/pickup"},
                     {"maySeeDomains", may(visit, Admin | Officer | Auditor | Helpdesk)},
                     {"list", list},
                     {"states", views::options(state, {{"", "All"},
                                                       {"waiting", "Waits or opened"},
                                                       {"recalled", "Recalled"},
                                                       {"expired", "Expired"},
                                                       {"given-up", "Given up"}})},
                     {"next", views::text(shown, "next").empty()
                                  ? json(nullptr)
                                  : json("/waiting?list=" + percentEncode(list) + "&state=" + percentEncode(state) +
                                         "&after=" + views::text(shown, "next"))}});
}

Response waitingItem(Visit& visit) {
  return drawItem(visit, 200, nullptr);
}

Response actOnWaiting(Visit& visit) {
  const auto& form = visit.request.form;
  const auto act = form.get("act");
  json args{{"id", visit.param("item")}};
  if (act != "resend") args["reason"] = form.get("reason");
  if (act == "extend") args["days"] = form.get("days");
  try {
    for (const auto* order : {"recall", "resend", "extend", "release"})
      if (act == order) visit.order("pickup." + act, args);
    return Response::redirect("/waiting/" + percentEncode(visit.param("item")) + "?done=saved");
  } catch (const app::OrderRefused& refused) {
    return drawItem(visit, 422, views::refusal(refused));
  }
}

}  // namespace postern::webadmin::pages
