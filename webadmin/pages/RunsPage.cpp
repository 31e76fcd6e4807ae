#include "webadmin/pages/RecordPages.h"
#include "webadmin/RecordViews.h"
#include "webadmin/RecordWords.h"
#include "webadmin/Views.h"
#include "webadmin/Words.h"

namespace postern::webadmin::pages {

using nlohmann::json;

namespace {

constexpr int Limit = 100;

json runRow(const json& run, TimePoint now) {
  const auto state = views::text(run, "state");
  const auto certificate = views::text(run, "certificate");
  json kept = json::array();
  for (const auto& reason : views::part(run, "kept"))
    kept.push_back({{"reason", words::keptReason(views::text(reason, "reason"))},
                    {"count", words::count(views::number(reason, "count"))}});
  return {{"id", views::text(run, "id")},
          {"startedAt", views::moment(run, "startedAt", now)},
          {"finishedAt", views::moment(run, "finishedAt", now)},
          {"badge",
           {{"text", state == "done" ? "Complete" : words::recordState(state)}, {"tone", words::recordTone(state)}}},
          {"candidates", words::count(views::number(run, "candidates"))},
          {"destroyed", words::count(views::number(run, "destroyed"))},
          {"kept", kept},
          {"certificatePath", certificate.empty() ? "" : "/retention/certificates/" + percentEncode(certificate)}};
}

// The next run: when, how many messages, and what stands in its way.
json nextRun(const Visit& visit) {
  const auto status = visit.order("retention.status");
  const auto forecast = visit.order("retention.forecast", {{"months", 1}});
  const auto& months = views::part(forecast, "items");
  const auto& clock = views::part(status, "clock");
  return {{"at", views::moment(status, "nextRunAt", visit.now())},
          {"count", words::count(months.empty() ? 0 : views::number(months[0], "due"))},
          {"held", words::count(views::number(forecast, "held"))},
          {"trusted", views::flag(clock, "trusted")},
          {"clockReason", words::sentence(views::text(clock, "reason"))},
          {"blastLimit", words::count(views::number(status, "blastLimit"))},
          {"running", !views::part(status, "running").empty()}};
}

Response drawRun(const Visit& visit, int status, const json& refusal) {
  auto view = nextRun(visit);
  view["refusal"] = refusal;
  return visit.page("run", {"Run retention now", "retention", status}, std::move(view));
}

std::string certificatePath(const json& certificate) {
  return "/retention/certificates/" + percentEncode(views::text(certificate, "id"));
}

}  // namespace

Response runs(Visit& visit) {
  json rows = json::array();
  const auto listed = visit.order("retention.runs", {{"limit", Limit}});
  for (const auto& run : views::part(listed, "items")) rows.push_back(runRow(run, visit.now()));
  const bool empty = rows.empty();
  return visit.page("runs", {"Runs", "retention"},
                    {{"roles", views::rolesOf(visit)},
                     {"tab", {{"runs", true}}},
                     {"rows", rows},
                     {"empty", empty},
                     {"next", nextRun(visit)}});
}

Response confirmRun(Visit& visit) {
  return drawRun(visit, 200, nullptr);
}

Response startRun(Visit& visit) {
  if (visit.request.form.get("confirm") != "destroy")
    return drawRun(visit, 422, views::refusal("The word did not match.", "Type destroy to start the run."));
  try {
    return views::afterChange(visit.order("retention.run"), "/retention/runs?done=run-started");
  } catch (const app::OrderRefused& refused) {
    return drawRun(visit, 422, views::refusal(refused));
  }
}

namespace {

Response drawClock(const Visit& visit, int status, const json& refusal) {
  auto view = nextRun(visit);
  view["refusal"] = refusal;
  view["reason"] = visit.request.form.get("reason");
  view["now"] = views::time(visit.now(), visit.now());
  return visit.page("trust-clock", {"Trust the clock again", "retention", status}, std::move(view));
}

}  // namespace

Response confirmClock(Visit& visit) {
  return drawClock(visit, 200, nullptr);
}

// Two people must say it: the request goes to an approver.
Response trustClock(Visit& visit) {
  try {
    return views::afterChange(visit.order("retention.trust-clock", {{"reason", visit.request.form.get("reason")}}),
                              "/retention/runs");
  } catch (const app::OrderRefused& refused) {
    return drawClock(visit, 422, views::refusal(refused));
  }
}

constexpr std::uint64_t MostLinesInText = 5000;  // of the text that listd gives: docs/orders.md

std::string joined(const json& lines) {
  std::string text;
  for (const auto& line : lines)
    if (line.is_string()) text += line.get<std::string>();
  return text;
}

Response certificates(Visit& visit) {
  json rows = json::array();
  const auto listed = visit.order("certificate.list", {{"limit", Limit}, {"after", visit.request.query.get("after")}});
  for (const auto& one : views::part(listed, "items"))
    rows.push_back({{"id", views::text(one, "id")},
                    {"path", certificatePath(one)},
                    {"run", views::text(one, "run")},
                    {"at", views::moment(one, "at", visit.now())},
                    {"lines", views::text(one, "lines")}});
  const bool empty = rows.empty();
  return visit.page(
      "certificates", {"Certificates", "retention"},
      {{"roles", views::rolesOf(visit)}, {"tab", {{"certificates", true}}}, {"rows", rows}, {"empty", empty}});
}

Response certificate(Visit& visit) {
  const auto after = visit.request.query.get("after");
  const bool check = visit.request.query.get("check") == "1";
  json args = {{"id", visit.param("id")}, {"limit", Limit}, {"after", after}};
  if (check) args["check"] = true;
  const auto shown = visit.order("certificate.show", args);
  const auto lines = views::number(shown, "lines");
  const bool paged = !after.empty() || lines > MostLinesInText;
  json items = json::array();
  if (paged)
    for (const auto& line : views::part(shown, "items")) items.push_back(line);
  const auto next = paged ? views::text(shown, "next") : "";
  const auto path = certificatePath(shown);
  return visit.page(
      "certificate", {"Certificate of disposition", "retention"},
      {{"id", views::text(shown, "id")},
       {"path", path},
       {"run", views::text(shown, "run")},
       {"lines", words::plural(lines, "line", "lines")},
       {"paged", paged},
       {"items", joined(items)},
       {"first", after.empty()},
       {"checked", shown.contains("holds")},
       {"holds", views::flag(shown, "holds")},
       {"pager",
        {{"first", after.empty() ? "" : path}, {"next", next.empty() ? "" : path + "?after=" + percentEncode(next)}}},
       {"signature", views::text(shown, "signature")},
       {"publicKey", views::text(shown, "publicKey")},
       {"text", views::text(shown, "text")}});
}

Response certificateText(Visit& visit) {
  const auto shown = visit.order("certificate.show", {{"id", visit.param("id")}});
  return views::attachment("text/plain; charset=utf-8", "certificate.txt", views::text(shown, "text"));
}

}  // namespace postern::webadmin::pages
