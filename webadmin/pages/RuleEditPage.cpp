#include "webadmin/pages/RecordPages.h"
#include "webadmin/RecordViews.h"
#include "webadmin/RecordWords.h"
#include "webadmin/Views.h"
#include "webadmin/Words.h"

namespace postern::webadmin::pages {

using nlohmann::json;

namespace {

// How many messages the scope of the form matches now, in words; the refusal's words when it cannot be read.
json countOf(const Visit& visit, const Fields& form) {
  try {
    const auto hits = visit.order("hold.preview", {{"scope", views::scopeOf(form)}});
    const auto unknown = views::number(hits, "notEvaluable");
    return {{"objects", words::plural(views::number(hits, "objects"), "message matches", "messages match")},
            {"unknown", unknown ? words::count(unknown) : std::string()},
            {"oldest", views::moment(hits, "oldestAt", visit.now())},
            {"newest", views::moment(hits, "newestAt", visit.now())}};
  } catch (const app::OrderRefused& refused) {
    return {{"trouble", views::refusal(refused)["message"]}};
  }
}

// The editor with what was typed, or with the stored rule.
Response draw(const Visit& visit, const Fields& form, const std::string& id, int status, const json& refusal,
              bool counted) {
  auto view = views::ruleForm(form);
  view["id"] = id;
  view["path"] = id.empty() ? "/retention/new-rule" : views::rulePath(id) + "/edit";
  view["back"] = id.empty() ? "/retention" : views::rulePath(id);
  view["heading"] = id.empty() ? "New retention rule" : "Change the rule “" + form.get("name") + "”";
  view["reason"] = form.get("reason");
  view["refusal"] = refusal;
  if (counted) view["count"] = countOf(visit, form);
  return visit.page("rule-edit", {id.empty() ? "New retention rule" : "Change a rule", "retention", status},
                    std::move(view));
}

Response drawRemoval(const Visit& visit, int status, const json& refusal) {
  auto view = views::ruleRow(visit.order("rule.show", {{"id", visit.param("rule")}}), visit.now());
  view["refusal"] = refusal;
  view["reason"] = visit.request.form.get("reason");
  return visit.page("rule-remove", {"Remove a rule", "retention", status}, std::move(view));
}

}  // namespace

Response newRule(Visit& visit) {
  return draw(visit, visit.request.query, "", 200, nullptr, false);
}

Response editRule(Visit& visit) {
  const auto& id = visit.param("rule");
  return draw(visit, views::ruleFields(visit.order("rule.show", {{"id", id}})), id, 200, nullptr, true);
}

// The editor's three buttons: count the messages, run a what-if over the archive with this draft, or put it in force
// at once, which listd takes only when the change can shorten nothing.
Response proposeRule(Visit& visit) {
  auto form = visit.request.form;
  const auto id = visit.params.contains("rule") ? visit.param("rule") : std::string();
  const auto act = form.get("act", "what-if");
  if (act == "count") return draw(visit, form, id, 200, nullptr, true);
  try {
    if (!id.empty()) form.add("rule", id);
    const auto rule = views::ruleOf(form);
    if (act == "what-if") {
      const auto made = visit.order("what-if.run", {{"rule", rule}, {"sample", 20}});
      return Response::redirect(views::whatIfPath(views::text(made, "id")));
    }
    const auto answer = visit.order("rule.propose", {{"rule", rule}, {"reason", form.get("reason")}});
    return views::afterChange(answer, "/retention?done=rule-saved");
  } catch (const app::OrderRefused& refused) {
    return draw(visit, visit.request.form, id, 422, views::refusal(refused), false);
  }
}

Response confirmRuleRemoval(Visit& visit) {
  return drawRemoval(visit, 200, nullptr);
}

// A removal may shorten, so it goes by a what-if as a change does.
Response removeRule(Visit& visit) {
  try {
    const auto made = visit.order("what-if.run", {{"remove", visit.param("rule")}, {"sample", 20}});
    return Response::redirect(views::whatIfPath(views::text(made, "id")));
  } catch (const app::OrderRefused& refused) {
    return drawRemoval(visit, 422, views::refusal(refused));
  }
}

// For the script of the editor and of the hold wizard: the count beside the form while it is filled in.
Response scopeCount(Visit& visit) {
  return jsonResponse(200, countOf(visit, visit.request.form));
}

}  // namespace postern::webadmin::pages
