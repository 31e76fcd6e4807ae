#include "webadmin/pages/PolicyPages.h"
#include "webadmin/RecordViews.h"
#include "webadmin/RecordWords.h"
#include "webadmin/Views.h"

#include <map>

namespace postern::webadmin::pages {

using nlohmann::json;
using enum app::Role;

namespace {

constexpr std::uint64_t Shown = 500;

std::string setPath(const std::string& name) {
  return "/policies/sets/" + percentEncode(name);
}

// What policies in force declare, with what it is for; empty while the gateway is away.
std::map<std::string, std::string> declaredSets(const Visit& visit) {
  std::map<std::string, std::string> declared;
  try {
    const auto report = visit.order("policy.test");
    for (const auto& info : views::part(report, "policies"))
      for (const auto& set : views::part(info, "sets"))
        declared.emplace(views::text(set, "name"), views::text(set, "doc"));
  } catch (const app::OrderRefused&) {
    declared.clear();
  }
  return declared;
}

Response drawSet(const Visit& visit, const std::string& name, int status, const json& refusal) {
  const auto& query = visit.request.query;
  json args = {{"set", name}, {"limit", Shown}};
  if (const auto after = query.get("after"); !after.empty()) args["after"] = after;
  const auto set = visit.order("policy.set-show", args);
  const auto declared = declaredSets(visit);
  const auto found = declared.find(name);
  json rows = json::array();
  for (const auto& value : views::part(set, "items")) rows.push_back({{"value", value}});
  const auto next = views::text(set, "next");
  return visit.page("policy-set-values", {name, "policies", status},
                    {{"refusal", refusal},
                     {"name", name},
                     {"path", setPath(name)},
                     {"doc", found == declared.end() ? std::string() : found->second},
                     {"unknown", found == declared.end()},
                     {"rows", rows},
                     {"hasRows", !rows.empty()},
                     {"entries", words::plural(views::number(set, "entries"), "entry", "entries")},
                     {"next", next.empty() ? "" : setPath(name) + "?after=" + percentEncode(next)},
                     {"value", visit.request.form.get("value")},
                     {"text", visit.request.form.get("text")},
                     {"reason", visit.request.form.get("reason")},
                     {"mayChange", views::may(visit, Admin)}});
}

}  // namespace

Response policySets(Visit& visit) {
  if (const auto name = visit.request.query.get("set"); !name.empty()) return Response::redirect(setPath(name));
  auto declared = declaredSets(visit);
  json rows = json::array();
  const auto add = [&](const std::string& name, const std::string& doc, std::uint64_t entries, const json& changed) {
    rows.push_back({{"name", name},
                    {"path", setPath(name)},
                    {"doc", doc},
                    {"entries", words::plural(entries, "entry", "entries")},
                    {"changedAt", changed}});
  };
  const auto known = visit.order("policy.sets");
  for (const auto& set : views::part(known, "items")) {
    const auto name = views::text(set, "set");
    const auto found = declared.find(name);
    add(name, found == declared.end() ? "No policy in force asks it." : found->second, views::number(set, "entries"),
        views::time(set, "changedAt", visit.now()));
    declared.erase(name);
  }
  for (const auto& [name, doc] : declared) add(name, doc, 0, nullptr);
  return visit.page("policy-sets", {"Sets of the policies", "policies"},
                    {{"rows", rows}, {"hasRows", !rows.empty()}, {"mayChange", views::may(visit, Admin)}});
}

Response policySet(Visit& visit) {
  return drawSet(visit, visit.param("set"), 200, nullptr);
}

Response changePolicySet(Visit& visit) {
  const auto& form = visit.request.form;
  const auto name = visit.param("set");
  json args = {{"set", name}, {"reason", form.get("reason")}};
  const auto act = form.get("act");
  json done;
  try {
    if (act == "import") {
      args["text"] = form.get("text");
      if (form.get("replace") == "yes") args["replace"] = true;
      done = visit.order("policy.set-import", args);
    } else {
      args["value"] = form.get("value");
      done = visit.order(act == "remove" ? "policy.set-remove" : "policy.set-add", args);
    }
  } catch (const app::OrderRefused& refused) {
    return drawSet(visit, name, 422, views::refusal(refused));
  }
  return Response::redirect(setPath(name) +
                            (views::flag(done, "atGateway") ? "?done=policy-set" : "?done=policy-set-soon"));
}

}  // namespace postern::webadmin::pages
