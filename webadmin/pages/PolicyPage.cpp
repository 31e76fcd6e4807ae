#include "webadmin/pages/PolicyPages.h"
#include "webadmin/RecordViews.h"
#include "webadmin/RecordWords.h"
#include "webadmin/Views.h"
#include "webadmin/Words.h"

namespace postern::webadmin::pages {

using nlohmann::json;
using enum app::Role;

std::string policyPath(std::uint64_t revision) {
  return "/policies/" + std::to_string(revision);
}

namespace {

json stateBadge(const std::string& state) {
  if (state == "in-force") return {{"text", "In force"}, {"tone", "good"}};
  if (state == "former") return {{"text", "Was in force"}, {"tone", "quiet"}};
  return {{"text", "Candidate"}, {"tone", "wait"}};
}

json rowOf(const json& revision, TimePoint now) {
  const auto number = views::number(revision, "revision");
  return {{"number", std::to_string(number)},
          {"path", policyPath(number)},
          {"badge", stateBadge(views::text(revision, "state"))},
          {"inForceAt", views::time(revision, "inForceAt", now)},
          {"inForceBy", views::text(revision, "inForceBy")},
          {"reason", views::text(revision, "reason")},
          {"madeAt", views::time(revision, "madeAt", now)},
          {"madeBy", views::text(revision, "madeBy")},
          {"note", views::text(revision, "note")}};
}

std::string joined(const json& names, std::string_view field = {}) {
  std::string text;
  for (const auto& name : names)
    text += (text.empty() ? "" : ", ") + (field.empty() ? name.get<std::string>() : views::text(name, field));
  return text;
}

// The line of a file that a problem is on.
std::string lineOf(const json& files, const std::string& file, std::uint64_t line) {
  const auto text = views::text(files, file);
  std::size_t at = 0;
  for (std::uint64_t i = 1; i < line && at != std::string::npos; ++i) {
    at = text.find('\n', at);
    if (at != std::string::npos) ++at;
  }
  if (line == 0 || at == std::string::npos) return {};
  return text.substr(at, std::min(text.find('\n', at), text.size()) - at);
}

json problemRows(const json& problems, const json& files) {
  json rows = json::array();
  for (const auto& problem : problems) {
    const auto line = views::number(problem, "line");
    const auto file = views::text(problem, "file");
    rows.push_back({{"where", (file.empty() ? "the set" : file) + (line > 0 ? ", line " + std::to_string(line) : "")},
                    {"text", views::text(problem, "text")},
                    {"source", lineOf(files, file, line)}});
  }
  return rows;
}

// What a policy says of itself first; the rest is read in its file.
std::string firstSentence(const std::string& doc) {
  for (std::size_t i = 0; i + 1 < doc.size(); ++i) {
    const bool ends = doc[i] == '.' && (doc[i + 1] == ' ' || doc[i + 1] == '\n');
    if (ends || (doc[i] == '\n' && doc[i + 1] == '\n')) return doc.substr(0, i + (ends ? 1 : 0));
  }
  return doc;
}

json policyRows(const json& report, const json& files) {
  json rows = json::array();
  for (const auto& info : views::part(report, "policies")) {
    const auto name = views::text(info, "name");
    std::size_t failed = 0;
    for (const auto& one : views::part(report, "cases"))
      failed += views::text(one, "policy") == name && !views::flag(one, "ok") ? 1 : 0;
    const auto cases = views::number(info, "cases");
    rows.push_back({{"name", name},
                    {"doc", firstSentence(views::text(info, "doc"))},
                    {"hooks", joined(views::part(info, "hooks"))},
                    {"asleep", views::flag(info, "asleep")},
                    {"sets", joined(views::part(info, "sets"), "name")},
                    {"coverage", policyCoverage(report, name + ".lua", views::text(files, name + ".lua"))["coverage"]},
                    {"cases", cases == 0 ? "none" : words::plural(cases, "case", "cases")},
                    {"badge",
                     {{"text", cases == 0   ? "Nothing shows that it works"
                               : failed > 0 ? std::to_string(failed) + " fail"
                                            : "All pass"},
                      {"tone", cases == 0   ? "wait"
                               : failed > 0 ? "bad"
                                            : "good"}}},
                    {"edit", "/policies/edit?file=" + percentEncode(name + ".lua")}});
  }
  return rows;
}

json shadowView(const Visit& visit) {
  json shadow;
  try {
    shadow = visit.order("policy.shadow");
  } catch (const app::OrderRefused&) {
    return nullptr;  // the gateway is away; the page says so where it tells of the cases
  }
  if (views::text(shadow, "digest").empty()) return nullptr;
  json kinds = json::array();
  for (const auto& kind : views::part(shadow, "kinds")) {
    json examples = json::array();
    for (const auto& id : views::part(kind, "examples"))
      if (id.is_string()) examples.push_back({{"id", id}, {"path", views::postPath(id.get_ref<const std::string&>())}});
    kinds.push_back({{"hook", views::text(kind, "hook")},
                     {"now", views::text(kind, "now")},
                     {"then", views::text(kind, "then")},
                     {"messages", words::count(views::number(kind, "messages"))},
                     {"recipients", words::plural(views::number(kind, "recipients"), "recipient", "recipients")},
                     {"examples", examples}});
  }
  const auto revision = views::number(shadow, "revision");
  return {{"running", views::flag(shadow, "running")},
          {"revision", revision == 0 ? "" : std::to_string(revision)},
          {"path", policyPath(revision)},
          {"since", views::time(shadow, "since", visit.now())},
          {"until", views::time(shadow, "until", visit.now())},
          {"compared", words::count(views::number(shadow, "compared"))},
          {"different", words::count(views::number(shadow, "different"))},
          {"failed", views::number(shadow, "failed") > 0 ? words::count(views::number(shadow, "failed")) : ""},
          {"dropped", views::number(shadow, "dropped") > 0 ? words::count(views::number(shadow, "dropped")) : ""},
          {"kinds", kinds},
          {"hasKinds", !kinds.empty()}};
}

// Of a set whose cases cannot be run now, because the gateway is away, the rest is shown.
json tested(const Visit& visit, const json& args, json& refusal) {
  try {
    return visit.order("policy.test", args);
  } catch (const app::OrderRefused& refused) {
    if (refused.error().code != "unavailable" && refused.error().code != "not-found") throw;
    refusal = {{"message", refused.error().message}, {"hint", refused.error().hint}};
    return json::object();
  }
}

json diffView(const json& diff) {
  json files = json::array();
  for (const auto& file : views::part(diff, "files")) {
    json lines = json::array();
    for (const auto& line : views::part(file, "lines")) {
      const auto mark = views::text(line, "mark");
      lines.push_back({{"text", views::text(line, "text")},
                       {"added", mark == "+"},
                       {"removed", mark == "-"},
                       {"same", mark == " "},
                       {"gap", mark != "+" && mark != "-" && mark != " "}});
    }
    files.push_back({{"path", views::text(file, "path")}, {"change", views::text(file, "change")}, {"lines", lines}});
  }
  return files;
}

// The job that judges stored mail, as far as it is; null where none is asked for.
json replayView(const Visit& visit) {
  constexpr std::size_t Listed = 100;
  const auto id = visit.request.query.get("replay");
  if (id.empty()) return nullptr;
  const auto job = visit.order("job.show", {{"id", id}});
  if (views::text(job, "kind") != "policy.replay") return nullptr;
  const auto state = views::text(job, "state");
  const auto& result = views::part(job, "result");
  json kinds = json::array(), messages = json::array();
  for (const auto& kind : views::part(result, "kinds"))
    kinds.push_back({{"now", views::text(kind, "now")},
                     {"then", views::text(kind, "then")},
                     {"messages", words::count(views::number(kind, "messages"))}});
  for (const auto& one : views::part(result, "messages")) {
    if (messages.size() == Listed) break;
    const auto post = std::to_string(views::number(one, "post"));
    messages.push_back({{"post", post}, {"path", views::postPath(post)}, {"then", views::text(one, "then")}});
  }
  return {
      {"again", policyPath(views::number(views::part(job, "args"), "revision")) + "?replay=" + percentEncode(id)},
      {"runs", state == "waiting" || state == "running"},
      {"done", state == "done"},
      {"failed", state == "failed" || state == "cancelled" ? views::text(job, "message") + " " : std::string()},
      {"progress", words::count(views::number(job, "done")) + " of " + words::count(views::number(job, "total"))},
      {"compared", words::count(views::number(result, "compared"))},
      {"different", words::count(views::number(result, "different"))},
      {"unreadable", views::number(result, "unreadable") > 0 ? words::count(views::number(result, "unreadable")) : ""},
      {"kinds", kinds},
      {"hasKinds", !kinds.empty()},
      {"messages", messages},
      {"hasMessages", !messages.empty()}};
}

Response drawRevision(const Visit& visit, int status, json refusal) {
  const auto id = visit.param("revision");
  const auto shown = visit.order("policy.show", {{"revision", id}});
  const auto& files = views::part(shown, "files");
  const auto against = visit.request.query.get("against");
  json diffArgs = {{"revision", id}};
  if (!against.empty()) diffArgs["against"] = against;
  const auto diff = visit.order("policy.diff", diffArgs);
  auto view = rowOf(shown, visit.now());
  json away;
  const auto report = tested(visit, {{"revision", id}}, away);
  const auto state = views::text(shown, "state");
  const bool mayChange = views::may(visit, Admin);
  view["report"] = report.empty() ? json() : policyReportView(report, files);
  view["refusal"] = refusal.is_null() ? away : refusal;
  const bool isFirst = views::number(diff, "against") == 0;  // all of it is new, and stands below under the files
  view["isChange"] = !isFirst;
  view["diff"] = isFirst ? json::array() : diffView(diff);
  view["against"] = views::number(diff, "against") > 0 ? std::to_string(views::number(diff, "against")) : "";
  view["againstPath"] = policyPath(views::number(diff, "against"));
  view["same"] = views::part(diff, "files").empty();
  view["inForce"] = state == "in-force";
  const bool good = report.empty() || views::flag(report, "ok");
  view["mayActivate"] = mayChange && good && state == "candidate";
  view["mayReturn"] = mayChange && good && state == "former";
  view["mayShadow"] = mayChange && good && state != "in-force";
  view["blocked"] = mayChange && !good && state != "in-force";
  view["mayEdit"] = mayChange;
  view["mayTry"] = views::may(visit, Admin | Officer);
  view["editPath"] = "/policies/edit?revision=" + percentEncode(id);
  view["tryPath"] = "/policies/try?revision=" + percentEncode(id);
  view["replay"] = replayView(visit);
  view["typed"] = visit.request.form.get("reason");
  view["digest"] = views::text(shown, "sha256");
  json list = json::array();
  for (const auto& [path, text] : files.items()) {
    auto shownFile = policyCoverage(report, path, text.get<std::string>());
    shownFile["edit"] = "/policies/edit?revision=" + percentEncode(id) + "&file=" + percentEncode(path);
    shownFile["mayEdit"] = mayChange;
    list.push_back(std::move(shownFile));
  }
  view["files"] = list;
  return visit.page("policy-set", {"Policy set " + id, "policies", status}, std::move(view));
}

}  // namespace

json policyReportView(const json& report, const json& files) {
  json cases = json::array(), shown = json::array();
  std::size_t failed = 0;
  for (const auto& one : views::part(report, "cases")) {
    const auto policy = views::text(one, "policy");
    if (shown.empty() || shown.back()["policy"] != policy)
      shown.push_back({{"policy", policy}, {"titles", json::array()}});
    shown.back()["titles"].push_back({{"title", views::text(one, "title")}, {"failed", !views::flag(one, "ok")}});
    if (views::flag(one, "ok")) continue;
    ++failed;
    cases.push_back({{"policy", views::text(one, "policy")},
                     {"title", views::text(one, "title")},
                     {"text", views::text(one, "text")}});
  }
  const auto count = views::part(report, "cases").size();
  return {{"ok", views::flag(report, "ok")},
          {"problems", problemRows(views::part(report, "problems"), files)},
          {"warnings", problemRows(views::part(report, "warnings"), files)},
          {"failedCases", cases},
          {"shown", shown},
          {"hasShown", !shown.empty()},
          {"count", words::plural(count, "case", "cases")},
          {"failed", failed > 0 ? std::to_string(failed) : ""}};
}

Response policies(Visit& visit) {
  const auto& query = visit.request.query;
  json args = json::object();
  if (const auto before = query.get("before"); !before.empty()) args["before"] = before;
  const auto history = visit.order("policy.history", args);
  json rows = json::array();
  json current;
  for (const auto& revision : views::part(history, "items")) {
    rows.push_back(rowOf(revision, visit.now()));
    if (views::text(revision, "state") == "in-force") current = rows.back();
  }
  json refusal;
  const auto report = tested(visit, json::object(), refusal);
  const auto next = views::text(history, "next");
  const auto shadow = shadowView(visit);
  const auto shown = current.is_null() ? json::object() : visit.order("policy.show");
  const auto policyTable = policyRows(report, views::part(shown, "files"));
  return visit.page("policies", {"Policies", "policies"},
                    {{"refusal", refusal},
                     {"current", current},
                     {"policies", policyTable},
                     {"hasPolicies", !policyTable.empty()},
                     {"rows", rows},
                     {"hasRows", !rows.empty()},
                     {"none", rows.empty()},
                     {"next", next.empty() ? "" : "/policies?before=" + percentEncode(next)},
                     {"shadow", shadow},
                     {"mayStop", views::may(visit, Admin)},
                     {"mayEdit", views::may(visit, Admin) && !rows.empty()},
                     {"mayTry", views::may(visit, Admin | Officer)}});
}

Response policyRevision(Visit& visit) {
  return drawRevision(visit, 200, nullptr);
}

Response actOnPolicyRevision(Visit& visit) {
  const auto& form = visit.request.form;
  const auto id = visit.param("revision");
  const auto act = form.get("act");
  try {
    if (act == "shadow") {
      visit.order("policy.shadow-start", {{"revision", id}, {"hours", form.get("hours", "24")}});
      return Response::redirect("/policies?done=policy-shadow");
    }
    if (act == "replay") {
      const auto job = visit.order("policy.replay", {{"revision", id}, {"days", form.get("days", "30")}});
      return Response::redirect(policyPath(views::number(job, "revision")) +
                                "?replay=" + std::to_string(views::number(job, "job")));
    }
    const json args = {{"revision", id}, {"reason", form.get("reason")}};
    const auto done = visit.order(act == "return" ? "policy.rollback" : "policy.activate", args);
    return Response::redirect(views::flag(done, "atGateway") ? "/policies?done=policy-in-force"
                                                             : "/policies?done=policy-soon");
  } catch (const app::OrderRefused& refused) {
    return drawRevision(visit, 422, views::refusal(refused));
  }
}

Response stopPolicyShadow(Visit& visit) {
  visit.order("policy.shadow-stop");
  return Response::redirect("/policies?done=policy-shadow-over");
}

}  // namespace postern::webadmin::pages
