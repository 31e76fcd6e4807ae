#include "webadmin/pages/Pages.h"
#include "webadmin/pages/SubscribePages.h"
#include "webadmin/RecordViews.h"
#include "webadmin/RecordWords.h"
#include "webadmin/Views.h"
#include "webadmin/Words.h"

// Who may join lists, for those who look after them: what waits for a decision, the rules of a list, whom it shuts out,
// and many members at once.
namespace postern::webadmin::pages {

using nlohmann::json;

namespace {

constexpr std::size_t ShownRows = 500;

bool mayDecide(const Visit& visit) {
  return views::may(visit, app::Role::Admin | app::Role::Owner);
}

Response drawRequests(const Visit& visit, int status, const json& refusal) {
  json args{{"limit", 200}};
  if (const auto list = visit.request.query.get("list"); !list.empty()) args["list"] = list;
  if (const auto after = visit.request.query.get("after"); !after.empty()) args["after"] = std::stoull("0" + after);
  const auto answer = visit.order("subscription.list", args);
  json rows = json::array();
  for (const auto& request : views::part(answer, "items"))
    rows.push_back({{"id", views::text(request, "id")},
                    {"address", views::text(request, "address")},
                    {"name", views::text(request, "name")},
                    {"what", views::text(request, "action") == "leave" ? "Wants to leave" : "Wants to join"},
                    {"list", views::text(request, "list")},
                    {"path", views::listPath(views::text(request, "list"))},
                    {"madeAt", views::time(request, "madeAt", visit.now())},
                    {"endsAt", views::time(request, "endsAt", visit.now())}});
  const bool any = !rows.empty();
  const auto next = views::text(answer, "next");
  return visit.page("subscriptions", {"Requests to join", "subscriptions", status},
                    {{"rows", rows},
                     {"any", any},
                     {"none", !any},
                     {"refusal", refusal},
                     {"reason", visit.request.form.get("reason")},
                     {"next", next.empty() ? "" : "/subscriptions?after=" + percentEncode(next)}});
}

json bansOf(const Visit& visit, const std::string& list) {
  json rows = json::array();
  const auto answer = visit.order("ban.list", {{"list", list}});
  for (const auto& ban : views::part(answer, "items"))
    rows.push_back({{"id", views::text(ban, "id")},
                    {"pattern", views::text(ban, "pattern")},
                    {"reason", views::text(ban, "reason")},
                    {"by", views::text(ban, "madeBy")},
                    {"madeAt", views::time(ban, "madeAt", visit.now())}});
  return rows;
}

// From which directory the members come; null: from none.
json sourceOf(const Visit& visit, const std::string& list) {
  try {
    const auto source = visit.order("source.show", {{"list", list}});
    const auto state = views::text(source, "state");
    return {{"directory", views::text(source, "directory")},
            {"filter", views::text(source, "filter")},
            {"only", views::text(source, "only")},
            {"hours", words::plural(views::number(source, "everyHours"), "hour", "hours")},
            {"checkedAt", views::time(source, "checkedAt", visit.now())},
            {"never", state.empty()},
            {"badge",
             {{"text", state == "ok"        ? "Done"
                       : state == "stopped" ? "Stopped"
                                            : "Failed"},
              {"tone", state == "ok" ? "good" : "bad"}}},
            {"stopped", state == "stopped"},
            {"outcome", views::text(source, "outcome")}};
  } catch (const app::OrderRefused& refused) {
    if (refused.error().code != "not-found") throw;
    return nullptr;
  }
}

// What a look into the directory would do or did.
json sourceReport(const json& result) {
  constexpr std::size_t shown = 50;
  json gone = json::array();
  for (const auto& address : views::part(result, "gone"))
    if (gone.size() < shown) gone.push_back(address);
  return {{"added", words::plural(views::number(result, "added"), "address", "addresses")},
          {"removed", words::count(views::number(result, "removed"))},
          {"failed", words::count(views::number(result, "failed"))},
          {"brake", views::flag(result, "brake")},
          {"more", views::part(result, "gone").size() > gone.size()},
          {"anyGone", !gone.empty()},
          {"gone", std::move(gone)}};
}

Response drawSettings(const Visit& visit, int status, const json& refusal, const json& tried = nullptr) {
  const auto& address = visit.param("list");
  auto view = views::listSummary(visit.order("list.show", {{"address", address}}), visit.now());
  const auto settings = visit.order("subscription.show", {{"list", address}});
  const auto& form = visit.request.form;
  const bool may = mayDecide(visit);
  auto bans = may ? bansOf(visit, address) : json::array();
  const bool noBans = bans.empty();
  view.update(
      {{"refusal", refusal},
       {"mayChange", may},
       {"joinings", views::options(views::text(settings, "joining"),
                                   {{"open", "Anybody, at once when the sender is proven"},
                                    {"confirm", "Anybody whose mailbox confirms it"},
                                    {"moderate", "Who is let in by an owner"},
                                    {"confirm-moderate", "Who confirms it and is let in by an owner"},
                                    {"invitation", "Who is invited by an owner"},
                                    {"closed", "Nobody; owners add members"}})},
       {"leavings", views::options(views::text(settings, "leaving"), {{"open", "At once"},
                                                                      {"confirm", "When the mailbox confirms it"},
                                                                      {"moderate", "When an owner lets them go"},
                                                                      {"closed", "Not by themselves"}})},
       {"advertised", views::flag(settings, "advertised")},
       {"oneClick", views::flag(settings, "oneClick")},
       {"waiting", views::number(settings, "waiting")},
       {"anyWaiting", views::number(settings, "waiting") > 0},
       {"publicPath", views::listPath(address) + "/subscribe"},
       {"invited", form.get("invited")},
       {"pattern", form.get("pattern")},
       {"why", form.get("reason")},
       {"bans", std::move(bans)},
       {"noBans", noBans},
       {"source", sourceOf(visit, address)},
       {"tried", tried}});
  return visit.page("list-subscription", {"Joining " + address, "lists", status}, std::move(view));
}

// Which words of a report are good news.
const char* toneOf(std::string_view outcome) {
  if (outcome == "added") return "good";
  if (outcome == "added-without-copies") return "wait";
  return outcome == "already" || outcome == "repeated" || outcome == "left" ? "quiet" : "bad";
}

std::string outcomeText(const json& row) {
  const auto outcome = views::text(row, "outcome");
  if (outcome == "added") return "Added";
  if (outcome == "added-without-copies") return "Added, gets no copies yet";
  if (outcome == "already") return "Is a member already";
  if (outcome == "left") return "Took themselves off";
  if (outcome == "repeated") return "Stands in the file twice";
  if (outcome == "banned") return "Banned";
  if (outcome == "is-a-list") return "Is a list";
  if (outcome == "bad-name") return "Bad name";
  return outcome == "bad-address" ? "Bad address" : "Cannot be read";
}

json reportView(const json& result, bool dryRun) {
  json rows = json::array();
  for (const auto& row : views::part(result, "rows")) {
    if (rows.size() >= ShownRows) break;
    const auto outcome = views::text(row, "outcome");
    const auto detail = views::text(row, "detail");
    rows.push_back({{"line", views::text(row, "line")},
                    {"address", views::text(row, "address")},
                    {"badge", {{"text", outcomeText(row)}, {"tone", toneOf(outcome)}}},
                    {"detail", outcome == "added-without-copies" ? words::reason(detail) : detail}});
  }
  return {{"dryRun", dryRun},
          {"added", words::plural(views::number(result, "added"), "address", "addresses")},
          {"skipped", words::count(views::number(result, "skipped"))},
          {"withheld", words::count(views::number(result, "withheld"))},
          {"failed", words::count(views::number(result, "failed"))},
          {"more", views::part(result, "rows").size() > rows.size()},
          {"rows", rows}};
}

Response drawImport(const Visit& visit, int status, const json& refusal, const json& report) {
  const auto& address = visit.param("list");
  auto view = views::listSummary(visit.order("list.show", {{"address", address}}), visit.now());
  const auto& form = visit.request.form;
  const auto csv = form.get("file").empty() ? form.get("csv") : form.get("file");
  const bool previewed = report.is_object() && views::flag(report, "dryRun");
  view.update({{"refusal", refusal}, {"report", report}, {"csv", csv}, {"previewed", previewed}});
  return visit.page("members-import", {"Import members", "lists", status}, std::move(view));
}

}  // namespace

Response subscriptionRequests(Visit& visit) {
  return drawRequests(visit, 200, nullptr);
}

Response decideSubscriptions(Visit& visit) {
  const auto& form = visit.request.form;
  json ids = json::array();
  for (const auto& [name, value] : form.items())
    if (name == "id") ids.push_back(value);
  if (ids.empty())
    return drawRequests(visit, 422, views::refusal("Nobody was chosen.", "Tick those whom you decide about."));
  const bool grant = form.get("decision") == "grant";
  try {
    visit.order("subscription.decide",
                {{"ids", ids}, {"decision", grant ? "grant" : "refuse"}, {"reason", form.get("reason")}});
  } catch (const app::OrderRefused& refused) {
    return drawRequests(visit, 422, views::refusal(refused));
  }
  return Response::redirect(grant ? "/subscriptions?done=requests-granted" : "/subscriptions?done=requests-refused");
}

Response listSubscription(Visit& visit) {
  return drawSettings(visit, 200, nullptr);
}

Response setListSubscription(Visit& visit) {
  const auto& form = visit.request.form;
  const auto& list = visit.param("list");
  const auto what = form.get("what");
  const char* done = "list-saved";
  try {
    if (what == "invite") {
      visit.order("subscription.invite", {{"list", list}, {"address", form.get("invited")}});
      done = "member-invited";
    } else if (what == "ban") {
      visit.order("ban.add", {{"list", list}, {"pattern", form.get("pattern")}, {"reason", form.get("reason")}});
      done = "ban-added";
    } else if (what == "source-try") {
      const auto result = visit.order("source.run", {{"list", list}, {"dryRun", true}});
      return drawSettings(visit, 200, nullptr, sourceReport(result));
    } else if (what == "source-run") {
      visit.order("source.run", {{"list", list}, {"confirmed", form.get("confirmed") == "yes"}});
      done = "members-taken";
    } else if (what == "unban") {
      visit.order("ban.remove", {{"id", form.get("id")}});
      done = "ban-removed";
    } else {
      visit.order("subscription.set", {{"list", list},
                                       {"joining", form.get("joining")},
                                       {"leaving", form.get("leaving")},
                                       {"advertised", form.get("advertised") == "yes"},
                                       {"oneClick", form.get("oneClick") == "yes"}});
    }
  } catch (const app::OrderRefused& refused) {
    return drawSettings(visit, 422, views::refusal(refused));
  }
  return Response::redirect(views::listPath(list) + "/subscription?done=" + done);
}

Response importForm(Visit& visit) {
  return drawImport(visit, 200, nullptr, nullptr);
}

Response importMembers(Visit& visit) {
  const auto& form = visit.request.form;
  const auto csv = form.get("file").empty() ? form.get("csv") : form.get("file");
  const bool dryRun = form.get("act") != "import";
  if (csv.empty())
    return drawImport(visit, 422, views::refusal("There was nothing to import.", "Choose a file, or paste its lines."),
                      nullptr);
  try {
    const auto result = visit.order("member.import", {{"list", visit.param("list")}, {"csv", csv}, {"dryRun", dryRun}});
    return drawImport(visit, 200, nullptr, reportView(result, dryRun));
  } catch (const app::OrderRefused& refused) {
    return drawImport(visit, 422, views::refusal(refused), nullptr);
  }
}

}  // namespace postern::webadmin::pages
