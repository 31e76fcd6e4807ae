#include "webadmin/pages/RecordPages.h"
#include "webadmin/RecordViews.h"
#include "webadmin/RecordWords.h"
#include "webadmin/Views.h"
#include "webadmin/Words.h"

namespace postern::webadmin::pages {

using nlohmann::json;
using enum app::Role;

namespace {

constexpr int Limit = 200;

json requestRows(const Visit& visit, const std::string& state) {
  json args = {{"limit", Limit}};
  if (!state.empty()) args["state"] = state;
  json rows = json::array();
  const auto listed = visit.order("request.list", args);
  for (const auto& request : views::part(listed, "items")) rows.push_back(views::requestRow(request, visit.now()));
  return rows;
}

// Reviews by the rule that asks for them, so that one decision can be made for many.
json reviewGroups(const Visit& visit) {
  std::map<std::string, json> byRule;
  const auto listed = visit.order("review.list", {{"limit", Limit}});
  for (const auto& one : views::part(listed, "items")) {
    const auto object = views::text(one, "object"), list = views::text(one, "list");
    byRule[views::text(one, "rule")].push_back({{"object", object},
                                                {"path", views::messagePath(object)},
                                                {"list", list},
                                                {"value", object + " " + list},
                                                {"dueAt", views::moment(one, "dueAt", visit.now())}});
  }
  json groups = json::array();
  for (const auto& [rule, rows] : byRule) {
    const auto count = words::plural(rows.size(), "message", "messages");
    groups.push_back({{"rule", rule}, {"rows", rows}, {"count", count}, {"number", groups.size()}});
  }
  return groups;
}

// The what-if of a request: its number, or the summary of it that listd keeps with the request.
void addWhatIf(const json& request, json& view) {
  const auto found = request.find("whatIf");
  if (found == request.end() || found->is_null()) return;
  const auto id = found->is_object() ? views::text(*found, "id") : views::text(request, "whatIf");
  if (id.empty() || id == "0") return;
  view["whatIfPath"] = views::whatIfPath(id);
  if (!found->is_object()) return;
  const auto earlier = views::number(*found, "becomesEarlier");
  view["earlier"] = words::plural(earlier, "message", "messages");
  view["anyEarlier"] = earlier > 0;
}

Response drawRequest(const Visit& visit, int status, const json& refusal) {
  const auto shown = visit.order("request.show", {{"id", visit.param("request")}});
  auto view = views::requestRow(shown, visit.now());
  json changed = json::array(), kept = json::array();
  for (auto& row : views::difference(views::part(shown, "before"), views::part(shown, "after")))
    (row["changed"] == true ? changed : kept).push_back(std::move(row));
  view["anyKept"] = !kept.empty();
  view["rows"] = std::move(changed);
  view["kept"] = std::move(kept);
  view["noBefore"] = views::part(shown, "before").empty();
  view["noAfter"] = views::part(shown, "after").empty();
  addWhatIf(shown, view);
  const bool own = visit.session && views::text(shown, "requester") == visit.session->account;
  view["own"] = own;
  view["approver"] = views::may(visit, Approver);
  view["mayAsk"] = views::may(visit, Officer | Admin | Approver) && !own;
  if (view["mayNot"] == "" && !view["mayDecide"].get<bool>())
    view["mayNot"] = own ? "You made this request: another person must decide." : "Only an approver can decide.";
  if (views::flag(shown, "lone")) view["decideAt"] = views::moment(shown, "decideAt", visit.now());
  view["words"] = visit.request.form.get("words");
  view["refusal"] = refusal;
  return visit.page("request", {view["title"].get<std::string>(), "work", status}, view);
}

}  // namespace

Response work(Visit& visit) {
  const auto show = visit.request.query.get("show", "waiting");
  const bool mayReview = views::may(visit, Officer | Approver);
  json tabs = json::array();
  for (const auto& [value, label] :
       {std::pair{"waiting", "Approvals"}, {"reviews", "Reviews"}, {"all", "All requests"}})
    if (mayReview || std::string_view(value) != "reviews")
      tabs.push_back({{"path", std::string("/work?show=") + value}, {"label", label}, {"chosen", show == value}});
  json view = {{"tabs", tabs}, {"roles", views::rolesOf(visit)}};
  if (show == "reviews" && mayReview) {
    view["groups"] = reviewGroups(visit);
    view["noReviews"] = view["groups"].empty();
    view["showReviews"] = true;
  } else {
    view["rows"] = requestRows(visit, show == "all" ? "" : "waiting");
    view["noRows"] = view["rows"].empty();
    view["all"] = show == "all";
  }
  return visit.page("work", {"Work queue", "work"}, std::move(view));
}

Response request(Visit& visit) {
  return drawRequest(visit, 200, nullptr);
}

Response decideRequest(Visit& visit) {
  const auto& form = visit.request.form;
  const auto act = form.get("act");
  const auto& id = visit.param("request");
  struct Act {
    std::string_view word, done;
  };
  constexpr std::array Acts = {Act{"approve", "approved"}, Act{"refuse", "refused"}, Act{"ask", "asked"},
                               Act{"withdraw", "withdrawn"}};
  const auto* known = std::find_if(Acts.begin(), Acts.end(), [&](const Act& one) { return one.word == act; });
  if (known == Acts.end()) throw app::OrderRefused({"usage", "There is no such decision.", "Open the request again."});
  try {
    visit.order("request." + act, {{"id", id}, {"words", form.get("words")}});
  } catch (const app::OrderRefused& refused) {
    return drawRequest(visit, 422, views::refusal(refused));
  }
  return Response::redirect(views::requestPath(id) + "?done=" + std::string(known->done));
}

}  // namespace postern::webadmin::pages
