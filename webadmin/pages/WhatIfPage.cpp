#include "webadmin/Chart.h"
#include "webadmin/pages/RecordPages.h"
#include "webadmin/RecordViews.h"
#include "webadmin/RecordWords.h"
#include "webadmin/Views.h"
#include "webadmin/Words.h"

#include <charconv>

namespace postern::webadmin::pages {

using nlohmann::json;

namespace {

// "2031-01-10" as the end of that day in UTC, in microseconds; nothing when it is no day.
std::optional<std::int64_t> endOfDay(const std::string& text) {
  int year = 0, month = 0, day = 0;
  char rest = 0;
  if (std::sscanf(text.c_str(), "%4d-%2d-%2d%c", &year, &month, &day, &rest) != 3) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (!date.ok() || year < 1970 || year > 9998) return std::nullopt;
  const auto next = std::chrono::sys_days(date) + std::chrono::days(1);
  return std::chrono::duration_cast<std::chrono::microseconds>(next.time_since_epoch()).count() - 1;
}

json monthTotals(const json& due) {
  std::map<std::string, std::uint64_t> totals;
  for (const auto& row : due) totals[views::text(row, "month")] += views::number(row, "count");
  json items = json::array();
  for (const auto& [month, count] : totals) items.push_back({{"month", month}, {"due", count}});
  return items;
}

json listTotals(const json& due) {
  std::map<std::string, std::uint64_t> totals;
  for (const auto& row : due) totals[views::text(row, "list")] += views::number(row, "count");
  json rows = json::array();
  for (const auto& [list, count] : totals) rows.push_back({{"list", list}, {"count", words::count(count)}});
  return rows;
}

json objectRows(const json& objects, TimePoint now) {
  json rows = json::array();
  for (const auto& one : objects)
    rows.push_back({{"object", views::text(one, "object")},
                    {"path", views::messagePath(views::text(one, "object"))},
                    {"list", views::text(one, "list")},
                    {"receivedAt", views::moment(one, "receivedAt", now)},
                    {"before", views::moment(one, "before", now)},
                    {"after", views::moment(one, "after", now)}});
  return rows;
}

Response drawResult(const Visit& visit, int status, const json& refusal) {
  const auto now = visit.now();
  const auto& id = visit.param("id");
  const auto shown = visit.order("what-if.show", {{"id", id}});
  using views::number;
  const auto earlier = number(shown, "becomesEarlier");
  const auto& rule = views::part(shown, "rule");
  const auto remove = views::text(shown, "remove");
  json view = {
      {"roles", views::rolesOf(visit)},
      {"tab", {{"whatIf", true}}},
      {"id", id},
      {"path", views::whatIfPath(id)},
      {"at", views::moment(shown, "at", now)},
      {"total", words::count(number(shown, "total"))},
      {"becomesDue", words::count(number(shown, "becomesDue"))},
      {"earlier", words::count(earlier)},
      {"anyEarlier", earlier > 0},
      {"oneEarlier", earlier == 1},
      {"later", words::count(number(shown, "becomesLater"))},
      {"unchanged", words::count(number(shown, "unchanged"))},
      {"neverDue", words::count(number(shown, "neverDue"))},
      {"held", shown.value("held", json()).is_null() ? words::count(number(shown, "mustBeKept")) + " (with reviews)"
                                                     : words::count(number(shown, "held"))},
      {"took", words::count(std::max<std::uint64_t>(number(shown, "tookMicros") / 1000, 1)) + " ms"},
      {"chart", drawMonths(monthTotals(views::part(shown, "due")), {{"due", "Due to be destroyed"}})},
      {"lists", listTotals(views::part(shown, "due"))},
      {"anyDue", !views::part(shown, "due").empty()},
      {"earlierRows", objectRows(views::part(shown, "earlier"), now)},
      {"sample", objectRows(views::part(shown, "sample"), now)},
      {"anySample", !views::part(shown, "sample").empty()},
      {"draft", !rule.empty() || !remove.empty()},
      {"draftName", rule.empty() ? "Removal of rule " + remove : views::text(rule, "name")},
      {"draftText", views::text(rule, "sentence")},
      {"editPath",
       rule.empty() || views::text(rule, "id").empty() ? "" : views::rulePath(views::text(rule, "id")) + "/edit"},
      {"reason", visit.request.form.get("reason")},
      {"refusal", refusal}};
  return visit.page("what-if-result", {"What if", "retention", status}, std::move(view));
}

Response drawForm(const Visit& visit, int status, const json& refusal) {
  json rules = json::array();
  const auto listed = visit.order("rule.list");
  for (const auto& rule : views::part(listed, "items")) rules.push_back(views::ruleRow(rule, visit.now()));
  return visit.page("what-if", {"What if", "retention", status},
                    {{"roles", views::rolesOf(visit)},
                     {"tab", {{"whatIf", true}}},
                     {"rules", rules},
                     {"date", visit.request.form.get("date", visit.request.query.get("date", words::day(visit.now())))},
                     {"refusal", refusal}});
}

}  // namespace

Response whatIf(Visit& visit) {
  return drawForm(visit, 200, nullptr);
}

Response runWhatIf(Visit& visit) {
  const auto at = endOfDay(visit.request.form.get("date"));
  if (!at) return drawForm(visit, 422, views::refusal("This is not a date.", "Write year, month and day: 2031-01-10."));
  try {
    const auto made = visit.order("what-if.run", {{"at", *at}, {"sample", 20}});
    return Response::redirect(views::whatIfPath(views::text(made, "id")));
  } catch (const app::OrderRefused& refused) {
    return drawForm(visit, 422, views::refusal(refused));
  }
}

Response whatIfResult(Visit& visit) {
  return drawResult(visit, 200, nullptr);
}

Response whatIfCsv(Visit& visit) {
  constexpr std::size_t MostBytes = 256u << 20;
  std::string csv, next;
  do {
    json args = {{"id", visit.param("id")}, {"limit", 20'000}};
    if (!next.empty()) args["after"] = next;
    const auto answer = visit.order("what-if.csv", args);
    csv += views::text(answer, "csv");
    next = views::text(answer, "next");
    // A part would look like the whole.
    if (csv.size() > MostBytes)
      throw app::OrderRefused({"refused", "This table is too long for a download.",
                               "Ask for it page by page: GET /api/v1/retention/what-ifs/{id}/csv."});
  } while (!next.empty());
  return views::attachment("text/csv; charset=utf-8", "what-if.csv", csv);
}

Response proposeWhatIf(Visit& visit) {
  const auto& id = visit.param("id");
  const auto reason = visit.request.form.get("reason");
  const auto shown = visit.order("what-if.show", {{"id", id}});
  const auto remove = views::text(shown, "remove");
  try {
    const auto answer =
        remove.empty()
            ? visit.order("rule.propose", {{"rule", views::part(shown, "rule")}, {"reason", reason}, {"whatIf", id}})
            : visit.order("rule.remove", {{"id", remove}, {"reason", reason}, {"whatIf", id}});
    return views::afterChange(answer, remove.empty() ? "/retention?done=rule-saved" : "/retention?done=rule-removed");
  } catch (const app::OrderRefused& refused) {
    return drawResult(visit, 422, views::refusal(refused));
  }
}

}  // namespace postern::webadmin::pages
