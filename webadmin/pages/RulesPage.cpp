#include "webadmin/Chart.h"
#include "webadmin/pages/RecordPages.h"
#include "webadmin/RecordViews.h"
#include "webadmin/RecordWords.h"
#include "webadmin/Views.h"
#include "webadmin/Words.h"

namespace postern::webadmin::pages {

using nlohmann::json;
using enum app::Role;

namespace {

struct TierText {
  const char* word;
  const char* title;
  const char* text;
};
// In the order in which they bind.
constexpr std::array Tiers = {
    TierText{"floor", "Floors", "Nothing is destroyed before a floor ends, whatever the other rules say."},
    TierText{"label", "Labels", "For messages that a person labelled. They decide before scoped rules."},
    TierText{"scoped", "Scoped rules", "For the lists, people or subjects that they name."},
    TierText{"default", "Default", "For every message that no complete rule above covers."},
};

json tierGroups(const json& rules, TimePoint now) {
  json groups = json::array();
  for (const auto& tier : Tiers) {
    json rows = json::array();
    for (const auto& rule : rules)
      if (views::text(rule, "tier") == tier.word) rows.push_back(views::ruleRow(rule, now));
    const bool none = rows.empty();
    groups.push_back(
        {{"title", tier.title}, {"word", tier.word}, {"text", tier.text}, {"rules", rows}, {"none", none}});
  }
  return groups;
}

json historyRow(const json& version, TimePoint now) {
  const auto request = views::text(version, "request");
  return {{"version", views::text(version, "version")},
          {"at", views::moment(version, "at", now)},
          {"by", views::text(version, "by")},
          {"reason", views::text(version, "reason")},
          {"sentence", views::text(version, "sentence")},
          {"requestPath", request.empty() || request == "0" ? "" : views::requestPath(request)}};
}

}  // namespace

Response retention(Visit& visit) {
  const auto now = visit.now();
  const auto listed = visit.order("rule.list");
  const auto& rules = views::part(listed, "items");
  json view = {{"roles", views::rolesOf(visit)},
               {"tab", {{"rules", true}}},
               {"tiers", tierGroups(rules, now)},
               {"mayOpen", views::may(visit, Officer | Approver | Auditor)},
               {"empty", rules.empty()}};
  if (views::may(visit, Officer | Auditor | Admin)) {
    const auto forecast = visit.order("retention.forecast", {{"months", 24}});
    view["forecast"] =
        drawMonths(views::part(forecast, "items"), {{"due", "Due to be destroyed"}, {"reviews", "Due for review"}});
    view["neverDue"] = words::count(views::number(forecast, "neverDue"));
    view["held"] = words::count(views::number(forecast, "held"));
    view["noRule"] = words::count(views::number(forecast, "noRule"));
    view["anyNoRule"] = views::number(forecast, "noRule") > 0;
  }
  return visit.page("retention", {"Retention", "retention"}, std::move(view));
}

Response rulesCsv(Visit& visit) {
  std::string body = views::csvLine({"id", "version", "name", "tier", "effect", "period", "start", "action", "enabled",
                                     "locked", "matched", "shadowed_by", "sentence"});
  const auto listed = visit.order("rule.list");
  for (const auto& rule : views::part(listed, "items")) {
    std::vector<std::string> cells;
    for (const auto* field : {"id", "version", "name", "tier", "effect", "period", "start", "action", "enabled",
                              "locked", "matched", "shadowedBy", "sentence"})
      cells.push_back(views::text(rule, field));
    body += views::csvLine(cells);
  }
  return views::attachment("text/csv; charset=utf-8", "retention-rules.csv", std::move(body));
}

Response rule(Visit& visit) {
  const auto now = visit.now();
  const auto shown = visit.order("rule.show", {{"id", visit.param("rule")}});
  auto view = views::ruleRow(shown, now);
  json history = json::array();
  for (const auto& version : views::part(shown, "history")) history.push_back(historyRow(version, now));
  view["history"] = history;
  view["period"] = views::text(shown, "period");
  view["start"] = views::text(shown, "start") == "received" ? "Receipt by Postern" : views::text(shown, "start");
  view["roles"] = views::rolesOf(visit);
  return visit.page("rule", {views::text(shown, "name"), "retention"}, std::move(view));
}

}  // namespace postern::webadmin::pages
