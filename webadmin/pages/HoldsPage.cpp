#include "webadmin/pages/RecordPages.h"
#include "webadmin/RecordViews.h"
#include "webadmin/RecordWords.h"
#include "webadmin/Views.h"
#include "webadmin/Words.h"

namespace postern::webadmin::pages {

using nlohmann::json;

namespace {

constexpr int GraceDays = 30;

// With a what-if of this release: what becomes due, and when.
Response drawRelease(const Visit& visit, int status, const json& refusal) {
  const auto now = visit.now();
  const auto shown = visit.order("hold.show", {{"id", visit.param("hold")}});
  auto view = views::holdRow(shown, now);
  view["graceEnds"] = views::time(now + std::chrono::days(GraceDays), now);
  const auto answer = visit.order("what-if.run", {{"releaseHold", visit.param("hold")}, {"sample", 5}});
  view["whatIf"] = views::text(answer, "id");
  view["whatIfPath"] = views::whatIfPath(views::text(answer, "id"));
  view["becomesDue"] = words::count(views::number(answer, "becomesDue"));
  view["reason"] = visit.request.form.get("reason");
  view["refusal"] = refusal;
  return visit.page("hold-release", {"Release a hold", "matters", status}, std::move(view));
}

}  // namespace

Response holds(Visit& visit) {
  const auto state = visit.request.query.get("state");
  json args = json::object();
  if (!state.empty()) args["state"] = state;
  json rows = json::array();
  const auto listed = visit.order("hold.list", args);
  for (const auto& hold : views::part(listed, "items")) rows.push_back(views::holdRow(hold, visit.now()));
  json states = json::array();
  for (const auto& [value, label] :
       {std::pair{"", "All"}, {"placed", "In force"}, {"grace", "Grace"}, {"released", "Released"}})
    states.push_back({{"path", *value ? std::string("/holds?state=") + value : "/holds"},
                      {"label", label},
                      {"chosen", state == value}});
  const bool empty = rows.empty();
  return visit.page("holds", {"Legal holds", "matters"},
                    {{"rows", rows}, {"empty", empty}, {"states", states}, {"roles", views::rolesOf(visit)}});
}

Response hold(Visit& visit) {
  auto view = views::withMatterName(
      views::holdRow(visit.order("hold.show", {{"id", visit.param("hold")}}), visit.now()), views::matterNames(visit));
  view["roles"] = views::rolesOf(visit);
  return visit.page("hold", {view["name"].get<std::string>(), "matters"}, view);
}

Response confirmRelease(Visit& visit) {
  return drawRelease(visit, 200, nullptr);
}

Response releaseHold(Visit& visit) {
  const auto& form = visit.request.form;
  const auto shown = visit.order("hold.show", {{"id", visit.param("hold")}});
  if (form.get("confirm") != views::text(shown, "name"))
    return drawRelease(visit, 422,
                       views::refusal("The name did not match.", "Type the name of the hold to ask for its release."));
  try {
    const auto answer = visit.order(
        "hold.release", {{"id", visit.param("hold")}, {"reason", form.get("reason")}, {"whatIf", form.get("whatIf")}});
    return views::afterChange(answer, views::holdPath(visit.param("hold")));
  } catch (const app::OrderRefused& refused) {
    return drawRelease(visit, 422, views::refusal(refused));
  }
}

}  // namespace postern::webadmin::pages
