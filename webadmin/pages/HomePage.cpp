#include "webadmin/Chart.h"
#include "webadmin/pages/Pages.h"
#include "webadmin/pages/RecordPages.h"
#include "webadmin/RecordViews.h"
#include "webadmin/RecordWords.h"
#include "webadmin/Views.h"
#include "webadmin/Words.h"

namespace postern::webadmin::pages {

using nlohmann::json;
using enum app::Role;

namespace {

constexpr auto AnchorLimit = std::chrono::hours(24);
constexpr auto ReviewHoldsEvery = std::chrono::days(365);

// The clock, the last anchor and the keys: what an administrator is asked about first.
void addMachine(const Visit& visit, json& view) {
  const auto now = visit.now();
  const auto retention = visit.order("retention.status");
  const auto audit = visit.order("audit.status");
  const auto keys = visit.order("keys.status");
  const auto backups = visit.order("backup.status", {{"limit", 1}});
  const auto& clock = views::part(retention, "clock");
  const auto anchored = views::number(audit, "lastAnchoredAt");
  const bool old = !anchored || now - fromMicros(static_cast<std::int64_t>(anchored)) > AnchorLimit;
  const auto& root = views::part(keys, "rootKey");
  const auto& backup = views::part(keys, "backup");
  const auto rotates = views::text(views::part(keys, "rotation"), "state");
  view["machine"] = {{"clockTrusted", views::flag(clock, "trusted")},
                     {"clockReason", words::sentence(views::text(clock, "reason"))},
                     {"anchoredAt", views::moment(audit, "lastAnchoredAt", now)},
                     {"anchorTone", old ? "bad" : "good"},
                     {"anchorOld", old},
                     {"anchorWord", old ? "Older than a day" : "In time"},
                     {"auditSize", words::count(views::number(audit, "size"))},
                     {"keySource", views::text(root, "source")},
                     {"keyEpoch", views::text(root, "epoch")},
                     {"keys", words::count(views::number(keys, "total"))},
                     {"rotating", rotates == "waiting" || rotates == "running"},
                     {"backupAt", views::moment(backup, "at", now)},
                     {"madeAt", views::moment(views::part(backups, "made"), "at", now)},
                     {"provenAt", views::moment(views::part(backups, "proven"), "at", now)}};
}

void addOfficer(const Visit& visit, json& view) {
  const auto now = visit.now();
  const auto status = visit.order("retention.status");
  const auto forecast = visit.order("retention.forecast", {{"months", 12}});
  const auto& months = views::part(forecast, "items");
  const auto reviews = views::number(status, "waitingReviews");
  const auto noRule = views::number(forecast, "noRule");
  json overdue = json::array();
  std::uint64_t open = 0;
  const auto listed = visit.order("hold.list");
  for (const auto& hold : views::part(listed, "items")) {
    const auto placed = views::number(hold, "placedAt");
    if (!views::moment(hold, "releasedAt", now).is_null()) continue;
    ++open;
    if (placed && now - fromMicros(static_cast<std::int64_t>(placed)) > ReviewHoldsEvery)
      overdue.push_back(views::holdRow(hold, now));
  }
  const bool anyOverdue = !overdue.empty();
  view["officer"] = {{"nextRunAt", views::moment(status, "nextRunAt", now)},
                     {"due", words::count(months.empty() ? 0 : views::number(months[0], "due"))},
                     {"held", words::count(views::number(forecast, "held"))},
                     {"reviews", words::count(reviews)},
                     {"anyReviews", reviews > 0},
                     {"noRule", words::count(noRule)},
                     {"anyNoRule", noRule > 0},
                     {"holds", words::count(open)},
                     {"overdue", overdue},
                     {"anyOverdue", anyOverdue},
                     {"overdueCount", words::count(overdue.size())},
                     {"clockTrusted", views::flag(views::part(status, "clock"), "trusted")},
                     {"clockReason", words::sentence(views::text(views::part(status, "clock"), "reason"))}};
  view["forecast"] = drawMonths(months, {{"due", "Due to be destroyed"}, {"reviews", "Due for review"}});
}

void addAuditor(const Visit& visit, json& view) {
  const auto now = visit.now();
  const auto status = visit.order("audit.status");
  const auto& verify = views::part(status, "verify");
  const auto anchored = views::number(status, "lastAnchoredAt");
  const bool old = !anchored || now - fromMicros(static_cast<std::int64_t>(anchored)) > AnchorLimit;
  json exceptions = json::array();
  for (const auto* outcome : {"error", "denied"}) {
    const auto listed =
        visit.order("audit.list", {{"outcome", outcome}, {"limit", 5}, {"from", toMicros(now - std::chrono::days(7))}});
    for (const auto& entry : views::part(listed, "items"))
      exceptions.push_back({{"path", "/audit/" + percentEncode(views::text(entry, "seq"))},
                            {"sentence", views::text(entry, "sentence")},
                            {"at", views::moment(entry, "at", now)},
                            {"badge", {{"text", words::recordState(outcome)}, {"tone", "bad"}}}});
  }
  const auto result = views::text(verify, "result");
  const bool intact = result == "ok" || result.find("is intact") != std::string::npos;
  const bool none = exceptions.empty();
  view["auditor"] = {{"size", words::count(views::number(status, "size"))},
                     {"verifyTone", result.empty() ? "wait"
                                    : intact       ? "good"
                                                   : "bad"},
                     {"verifyWord", result.empty() ? "Never verified"
                                    : intact       ? "Intact"
                                                   : "Not intact"},
                     {"verifiedAt", views::moment(verify, "at", now)},
                     {"anchorTone", old ? "bad" : "good"},
                     {"anchoredAt", views::moment(status, "lastAnchoredAt", now)},
                     {"exceptions", exceptions},
                     {"noExceptions", none}};
}

void addWaiting(const Visit& visit, json& view) {
  json rows = json::array();
  const auto listed = visit.order("request.list", {{"state", "waiting"}, {"limit", 5}});
  for (const auto& request : views::part(listed, "items")) rows.push_back(views::requestRow(request, visit.now()));
  const bool none = rows.empty();
  view["work"] = {{"rows", rows}, {"none", none}};
}

void addLists(const Visit& visit, json& view) {
  json rows = json::array();
  const auto known = visit.order("list.list", {{"limit", views::AllLists}});
  for (const auto& list : views::part(known, "items")) rows.push_back(views::listSummary(list, visit.now()));
  const bool none = rows.empty();
  view["owned"] = {{"lists", rows}, {"none", none}};
}

}  // namespace

// Every part for the roles of this person; who has none of them is told so.
Response home(Visit& visit) {
  if (views::may(visit, Admin)) return dashboard(visit);
  json view = {{"roles", views::rolesOf(visit)}, {"updatedAt", views::time(visit.now(), visit.now())}};
  if (views::may(visit, Officer)) addOfficer(visit, view);
  if (views::may(visit, Officer | Approver | Auditor)) addWaiting(visit, view);
  if (views::may(visit, Auditor)) addAuditor(visit, view);
  if (views::may(visit, Owner)) addLists(visit, view);
  return visit.page("home", {"Dashboard", "dashboard"}, std::move(view));
}

// An older listd, or one whose records are broken, must not take the mail's dashboard away.
json recordFacts(const Visit& visit) {
  json view = json::object();
  try {
    addMachine(visit, view);
  } catch (const app::OrderRefused& refused) {
    view["unknown"] = words::sentence(refused.error().message);
  }
  return view;
}

}  // namespace postern::webadmin::pages
