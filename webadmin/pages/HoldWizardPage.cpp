#include "webadmin/pages/RecordPages.h"
#include "webadmin/RecordViews.h"
#include "webadmin/RecordWords.h"
#include "webadmin/Views.h"
#include "webadmin/Words.h"

namespace postern::webadmin::pages {

using nlohmann::json;

namespace {

constexpr std::array Steps = {std::pair{"scope", "Scope"}, std::pair{"preview", "What it hits"},
                              std::pair{"notice", "Notice or silent"}, std::pair{"place", "Place"}};

constexpr const char* UsualNotice =
    "Please keep everything that may concern this matter, on paper and in files, until you hear from us. Do not delete "
    "or change such mail. What was sent to the lists is kept for you. Questions go to the compliance officer.";

// All that earlier steps asked, as hidden fields of the next form: the state of the wizard lives in the form alone.
json carried(const Fields& form, std::initializer_list<std::string_view> without) {
  json fields = json::array();
  for (const auto& [name, value] : form.items())
    if (name != "csrf" && name != "step" && !value.empty() &&
        std::find(without.begin(), without.end(), name) == without.end())
      fields.push_back({{"name", name}, {"value", value}});
  return fields;
}

json stepList(const std::string& step) {
  json list = json::array();
  bool before = true;
  for (const auto& [word, title] : Steps) {
    const bool current = step == word;
    if (current) before = false;
    list.push_back({{"title", title}, {"current", current}, {"done", before}});
  }
  return list;
}

void addPreview(const Visit& visit, const Fields& form, json& view) {
  const auto hits = visit.order("hold.preview", {{"scope", views::scopeOf(form)}});
  json sample = json::array();
  for (const auto& one : views::part(hits, "sample"))
    sample.push_back({{"object", views::text(one, "object")},
                      {"path", views::messagePath(views::text(one, "object"))},
                      {"list", views::text(one, "list")},
                      {"receivedAt", views::moment(one, "receivedAt", visit.now())}});
  const bool any = !sample.empty();
  view["preview"] = {{"objects", words::count(views::number(hits, "objects"))},
                     {"notEvaluable", words::count(views::number(hits, "notEvaluable"))},
                     {"growth", words::count(views::number(hits, "growth24h"))},
                     {"oldest", views::moment(hits, "oldestAt", visit.now())},
                     {"newest", views::moment(hits, "newestAt", visit.now())},
                     {"sample", sample},
                     {"anySample", any}};
}

Response draw(const Visit& visit, const Fields& form, std::string step, int status, json refusal) {
  const auto path = views::matterPath(visit.param("matter"));
  json view = {{"path", path + "/hold"},
               {"matterPath", path},
               {"name", form.get("name")},
               {"silent", form.get("silent") == "yes"},
               {"notice", form.get("notice", UsualNotice)},
               {"scope", views::scopeForm(form)},
               {"everything", views::scopeQuery(form).empty()}};
  const auto shown = visit.order("matter.show", {{"id", visit.param("matter")}});
  view["matterName"] = views::text(shown, "name");
  view["custodians"] = words::count(views::part(shown, "custodians").size());
  try {
    if (step != "scope") addPreview(visit, form, view);
  } catch (const app::OrderRefused& refused) {  // a scope that cannot be read: back to its form
    refusal = views::refusal(refused);
    step = "scope";
    status = 422;
  }
  view["steps"] = stepList(step);
  view["at"] = {{step, true}};
  view["refusal"] = refusal;
  view["carried"] = step == "scope"
                        ? carried(views::scopeFields(json::object()), {})
                        : carried(form, step == "notice" ? std::initializer_list<std::string_view>{"silent", "notice"}
                                                         : std::initializer_list<std::string_view>{});
  view["backQuery"] = path + "/hold?step=scope&name=" + percentEncode(form.get("name")) + "&" + views::scopeQuery(form);
  return visit.page("hold-wizard", {"Place a hold", "matters", status}, std::move(view));
}

std::string stepOf(const Fields& form) {
  for (const auto& [word, title] : Steps)
    if (form.get("step") == word) return word;
  return "scope";
}

}  // namespace

Response holdWizard(Visit& visit) {
  return draw(visit, visit.request.query, stepOf(visit.request.query), 200, nullptr);
}

Response placeHold(Visit& visit) {
  const auto& form = visit.request.form;
  if (form.get("act") == "count") return draw(visit, form, "scope", 200, nullptr);
  const bool silent = form.get("silent") == "yes";
  try {
    visit.order("hold.place", {{"matter", visit.param("matter")},
                               {"name", form.get("name")},
                               {"scope", views::scopeOf(form)},
                               {"silent", silent},
                               {"notice", silent ? std::string() : form.get("notice")}});
  } catch (const app::OrderRefused& refused) {
    return draw(visit, form, "place", 422, views::refusal(refused));
  }
  return Response::redirect(views::matterPath(visit.param("matter")) + "?done=hold-placed");
}

}  // namespace postern::webadmin::pages
