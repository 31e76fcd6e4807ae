#include "webadmin/pages/RecordPages.h"
#include "webadmin/RecordViews.h"
#include "webadmin/RecordWords.h"
#include "webadmin/Views.h"
#include "webadmin/Words.h"

namespace postern::webadmin::pages {

using nlohmann::json;
using enum app::Role;

namespace {

constexpr int PageSize = 100;
constexpr auto AnchorLimit = std::chrono::hours(24);
constexpr std::array Filters = {"actor", "action", "object", "matter", "outcome", "from", "until"};

// Days as people write them, in microseconds; `until` means the whole of that day.
std::int64_t dayMicros(const std::string& text, bool wholeDay) {
  int year = 0, month = 0, day = 0;
  if (std::sscanf(text.c_str(), "%4d-%2d-%2d", &year, &month, &day) != 3)
    throw app::OrderRefused({"invalid", "“" + text + "” is not a date.", "Write year, month and day: 2026-03-01."});
  const std::chrono::sys_days date{std::chrono::year(year) / month / day};
  const auto end = wholeDay ? date + std::chrono::days(1) : date;
  return std::chrono::duration_cast<std::chrono::microseconds>(end.time_since_epoch()).count();
}

json filterArgs(const Fields& asked) {
  json args = {{"limit", PageSize}};
  for (const auto* name : Filters) {
    const auto value = asked.get(name);
    if (value.empty()) continue;
    const bool isDay = std::string_view(name) == "from" || std::string_view(name) == "until";
    args[name] = isDay ? json(dayMicros(value, std::string_view(name) == "until")) : json(value);
  }
  if (const auto after = asked.get("after"); !after.empty()) args["after"] = after;
  return args;
}

std::string filterQuery(const Fields& asked) {
  std::string query;
  for (const auto* name : Filters)
    if (const auto value = asked.get(name); !value.empty())
      query += (query.empty() ? "" : "&") + std::string(name) + "=" + percentEncode(value);
  return query;
}

json entryRow(const json& entry, TimePoint now) {
  const auto outcome = views::text(entry, "outcome");
  const auto sentence = views::text(entry, "sentence");
  return {{"seq", views::text(entry, "seq")},
          {"path", "/audit/" + percentEncode(views::text(entry, "seq"))},
          {"at", views::moment(entry, "at", now)},
          {"actor", views::text(entry, "actor")},
          {"action", views::text(entry, "action")},
          {"object", views::text(entry, "object")},
          {"sentence", sentence.empty() ? views::text(entry, "action") : sentence},
          {"badge", {{"text", words::recordState(outcome)}, {"tone", words::recordTone(outcome)}}},
          {"bad", words::recordTone(outcome) == "bad"}};
}

// The log as a whole: size, root, anchors with their age, and what the last verification said.
json statusView(const Visit& visit, const json& status) {
  const auto now = visit.now();
  json anchors = json::array();
  for (const auto& anchor : views::part(status, "anchors")) {
    const auto at = views::number(anchor, "at");
    const bool old = !at || now - fromMicros(static_cast<std::int64_t>(at)) > AnchorLimit;
    const auto state = views::text(anchor, "state");
    anchors.push_back({{"kind", views::text(anchor, "kind")},
                       {"at", views::moment(anchor, "at", now)},
                       {"size", words::count(views::number(anchor, "size"))},
                       {"state", state},
                       {"tone", old ? "bad" : "good"},
                       {"age", at ? words::relative(fromMicros(static_cast<std::int64_t>(at)), now) : "never"}});
  }
  const auto last = views::number(status, "lastAnchoredAt");
  const bool old = !last || now - fromMicros(static_cast<std::int64_t>(last)) > AnchorLimit;
  const auto& verify = views::part(status, "verify");
  const bool none = anchors.empty();
  return {{"size", words::count(views::number(status, "size"))},
          {"root", views::text(status, "root")},
          {"checkpointAt", views::moment(status, "checkpointAt", now)},
          {"lastAnchoredAt", views::moment(status, "lastAnchoredAt", now)},
          {"anchorTone", old ? "bad" : "good"},
          {"anchorOld", old},
          {"anchors", anchors},
          {"noAnchors", none},
          {"coverage", views::text(status, "coverage")},
          {"publicKey", views::text(status, "publicKey")},
          {"verifiedAt", views::moment(verify, "at", now)},
          {"verifyResult", views::text(verify, "result")}};
}

json verifyView(const json& result) {
  const auto exit = views::number(result, "exit");
  return {{"good", exit == 0},
          {"exit", views::text(result, "exit")},
          {"result", views::text(result, "result")},
          {"firstBad", views::text(result, "firstBad")},
          {"size", words::count(views::number(result, "size"))},
          {"root", views::text(result, "root")}};
}

Response drawAudit(const Visit& visit, const json& verified) {
  const auto& asked = visit.request.query;
  json view = {{"roles", views::rolesOf(visit)}, {"verified", verified}};
  for (const auto* name : Filters) view[name] = asked.get(name);
  view["outcomes"] = views::options(asked.get("outcome"), {{"", "Any"},
                                                           {"ok", "Done"},
                                                           {"denied", "Denied"},
                                                           {"error", "Error"},
                                                           {"blocked-by-retention", "Blocked by retention"}});
  if (views::may(visit, Auditor)) view["status"] = statusView(visit, visit.order("audit.status"));
  json rows = json::array();
  // An officer reads the log of a matter; without one there is nothing to ask for.
  const bool needsMatter = !views::may(visit, Auditor) && asked.get("matter").empty();
  view["needsMatter"] = needsMatter;
  if (!needsMatter) try {
      const auto listed = visit.order("audit.list", filterArgs(asked));
      for (const auto& entry : views::part(listed, "items")) rows.push_back(entryRow(entry, visit.now()));
      if (const auto next = views::text(listed, "next"); !next.empty() && next != "0") {
        const auto query = filterQuery(asked);
        view["pager"] = {{"next", "/audit?" + query + (query.empty() ? "" : "&") + "after=" + percentEncode(next)}};
      }
    } catch (const app::OrderRefused& refused) {
      view["refusal"] = views::refusal(refused);
    }
  view["rows"] = rows;
  view["empty"] = rows.empty();
  view["filtered"] = !filterQuery(asked).empty();
  view["csvPath"] = "/audit.csv?" + filterQuery(asked);
  return visit.page("audit", {"Audit log", "audit"}, std::move(view));
}

}  // namespace

Response audit(Visit& visit) {
  return drawAudit(visit, nullptr);
}

Response verifyAudit(Visit& visit) {
  return drawAudit(visit, verifyView(visit.order("audit.verify")));
}

Response auditCsv(Visit& visit) {
  std::string body = views::csvLine({"seq", "at", "actor", "action", "object", "outcome", "sentence"});
  auto args = filterArgs(visit.request.query);
  for (int page = 0; page < 100; ++page) {
    const auto listed = visit.order("audit.list", args);
    for (const auto& entry : views::part(listed, "items")) {
      const auto at = views::moment(entry, "at", visit.now());
      body += views::csvLine({views::text(entry, "seq"), views::text(at, "iso"), views::text(entry, "actor"),
                              views::text(entry, "action"), views::text(entry, "object"), views::text(entry, "outcome"),
                              views::text(entry, "sentence")});
    }
    const auto next = views::text(listed, "next");
    if (next.empty() || next == "0") break;
    args["after"] = next;
  }
  return views::attachment("text/csv; charset=utf-8", "audit.csv", std::move(body));
}

Response auditEntry(Visit& visit) {
  const auto shown = visit.order("audit.show", {{"seq", std::stoull("0" + visit.param("seq").substr(0, 18))}});
  const auto& entry = views::part(shown, "entry");
  const auto& row = views::part(shown, "row");
  auto view = entryRow(row.empty() ? entry : row, visit.now());
  auto fields = entry;
  fields.erase("v");  // the version label as it is hashed, with its length: bytes, which stand in the raw record
  view["fields"] = fields.dump(2, ' ', false, json::error_handler_t::replace);
  view["raw"] = views::text(shown, "raw");
  view["leafHash"] = views::text(shown, "leafHash");
  json proof = json::array();
  for (const auto& hash : views::part(shown, "proof"))
    proof.push_back({{"hash", hash.is_string() ? hash.get<std::string>() : hash.dump()}});
  view["proof"] = proof;
  view["checkpoint"] = views::text(shown, "checkpoint");
  return visit.page("audit-entry", {"Audit entry " + visit.param("seq"), "audit"}, std::move(view));
}

// All pages of audit.export as one file for the verifier: the head of the first page stands for all.
Response auditExport(Visit& visit) {
  json args = json::object();
  for (const auto* name : {"from", "until"})
    if (const auto value = visit.request.query.get(name); !value.empty())
      args[std::string_view(name) == "until" ? "to" : name] = std::stoull("0" + value.substr(0, 18));
  std::string body;
  for (;;) {
    const auto page = visit.order("audit.export", args);
    const auto lines = views::text(page, "jsonl");
    body += body.empty() ? lines : lines.substr(std::min(lines.find('\n'), lines.size() - 1) + 1);
    const auto next = views::text(page, "next");
    if (next.empty() || next == "0" || lines.empty()) break;
    args["from"] = next;
  }
  return views::attachment("application/x-ndjson", "audit-export.jsonl", std::move(body));
}

}  // namespace postern::webadmin::pages
