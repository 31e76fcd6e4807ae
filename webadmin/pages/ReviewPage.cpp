#include "webadmin/pages/RecordPages.h"
#include "webadmin/RecordViews.h"
#include "webadmin/RecordWords.h"
#include "webadmin/Views.h"
#include "webadmin/Words.h"

namespace postern::webadmin::pages {

using nlohmann::json;

namespace {

// The chosen references: each field "of" is an object and its list.
std::vector<std::pair<std::string, std::string>> chosen(const Fields& form) {
  std::vector<std::pair<std::string, std::string>> all;
  for (const auto& [name, value] : form.items())
    if (const auto blank = value.find(' '); name == "of" && blank != std::string::npos)
      all.emplace_back(value.substr(0, blank), value.substr(blank + 1));
  return all;
}

Response draw(const Visit& visit, int status, const json& refusal) {
  const auto& form = visit.request.form;
  json rows = json::array();
  const auto all = chosen(form);
  for (const auto& [object, list] : all)
    rows.push_back(
        {{"object", object}, {"list", list}, {"value", object + " " + list}, {"path", views::messagePath(object)}});
  const auto decision = form.get("decision", "destroy");
  json matters = json::array();
  if (views::may(visit, app::Role::Officer)) {
    const auto listed = visit.order("matter.list");
    for (const auto& matter : views::part(listed, "items"))
      if (views::text(matter, "state") != "closed")
        matters.push_back({{"id", views::text(matter, "id")}, {"name", views::text(matter, "name")}});
  }
  const bool none = rows.empty();
  return visit.page("review", {"Decide a review", "work", status},
                    {{"rows", rows},
                     {"none", none},
                     {"count", words::plural(all.size(), "message", "messages")},
                     {"number", std::to_string(all.size())},
                     {"decisions", views::options(decision, {{"destroy", "Destroy for good"},
                                                             {"extend", "Keep and ask again in a year"},
                                                             {"retag", "Give it a label"},
                                                             {"hold", "Put it under a hold"}})},
                     {"matters", matters},
                     {"reason", form.get("reason")},
                     {"label", form.get("label")},
                     {"refusal", refusal}});
}

}  // namespace

Response confirmReview(Visit& visit) {
  return draw(visit, 200, nullptr);
}

Response decideReview(Visit& visit) {
  const auto& form = visit.request.form;
  const auto all = chosen(form);
  const auto decision = form.get("decision");
  if (decision == "destroy" && form.get("confirm") != std::to_string(all.size()))
    return draw(visit, 422,
                views::refusal("The number did not match.",
                               "Type how many messages are destroyed: " + std::to_string(all.size())));
  json objects = json::array();
  for (const auto& [object, list] : all) objects.push_back({{"object", object}, {"list", list}});
  json args = {{"objects", objects}, {"decision", decision}, {"reason", form.get("reason")}};
  for (const auto* name : {"label", "matter"})
    if (const auto value = form.get(name); !value.empty()) args[name] = value;
  try {
    return views::afterChange(visit.order("review.decide", args), "/work?show=reviews&done=reviewed");
  } catch (const app::OrderRefused& refused) {
    return draw(visit, 422, views::refusal(refused));
  }
}

}  // namespace postern::webadmin::pages
