#include "core/app/PlanWords.h"
#include "webadmin/pages/Pages.h"
#include "webadmin/RecordViews.h"
#include "webadmin/RecordWords.h"
#include "webadmin/Views.h"
#include "webadmin/Words.h"

#include <algorithm>
#include <map>

namespace postern::webadmin::pages {

using nlohmann::json;
using enum app::Role;

namespace {

constexpr int PageSize = 100;

std::string domainPath(std::string_view name) {
  return "/domains/" + percentEncode(name) + "/protection";
}

std::string protectionPath(std::string_view list) {
  return views::listPath(list) + "/protection";
}

std::string joined(const json& rungs) {
  std::string text;
  for (const auto& rung : rungs) text += (text.empty() ? "" : ",") + rung.get<std::string>();
  return text;
}

// "S/MIME, then OpenPGP, then Web pick-up".
std::string inWords(const json& rungs) {
  std::string text;
  for (const auto& rung : rungs) text += (text.empty() ? "" : ", then ") + words::protection(rung.get<std::string>());
  return text;
}

json floorOptions(const std::string& chosen, const std::string& otherwise) {
  return views::options(chosen, {{"default", otherwise},
                                 {"tls", "Verified TLS or anything stronger"},
                                 {"pickup", "Web pick-up or anything stronger"},
                                 {"openpgp", "OpenPGP or S/MIME: encrypted to the reader"},
                                 {"smime", "S/MIME only"}});
}

// The ladders that people choose from; one that was set otherwise is offered as it is.
json ladderOptions(const std::string& chosen, const std::string& otherwise) {
  auto all = views::options(chosen, {{"default", otherwise},
                                     {"smime,openpgp,tls,pickup", "S/MIME, OpenPGP, verified TLS, web pick-up"},
                                     {"smime,openpgp,pickup", "S/MIME, OpenPGP, web pick-up"},
                                     {"openpgp,smime,pickup", "OpenPGP, S/MIME, web pick-up"},
                                     {"smime,openpgp,tls", "S/MIME, OpenPGP, verified TLS"},
                                     {"smime,openpgp", "S/MIME, OpenPGP"},
                                     {"pickup", "Web pick-up only"}});
  for (const auto& option : all)
    if (option.at("chosen").get<bool>()) return all;
  all.push_back({{"value", chosen}, {"label", chosen}, {"chosen", true}});
  return all;
}

std::string orDefault(const std::string& text) {
  return text.empty() ? "default" : text;
}

// What was typed and refused, or what is stored.
std::string fieldOf(const Visit& visit, std::string_view field, const std::string& value) {
  return visit.request.form.get(field, orDefault(value));
}

// The weakest that can happen: the weakest rung that the floor leaves.
std::string weakest(const json& rules) {
  const std::vector<std::string> byStrength{"tls", "pickup", "openpgp", "smime"};
  const auto& ladder = views::part(rules, "ladder");
  bool reached = false;
  for (const auto& word : byStrength) {
    reached = reached || word == views::text(rules, "floor");
    if (reached && std::find(ladder.begin(), ladder.end(), json(word)) != ladder.end()) return words::protection(word);
  }
  return words::protection(views::text(rules, "floor"));
}

json rulesView(const json& rules) {
  return {{"ladder", inWords(views::part(rules, "ladder"))},
          {"floor", weakest(rules)},
          {"tlsMinutes", views::text(rules, "tlsMinutes")}};
}

Response drawListProtection(const Visit& visit, int status, const json& refusal) {
  const auto& address = visit.param("list");
  const auto stored = visit.order("list.protection", {{"address", address}});
  const auto& own = views::part(stored, "list");
  const auto domain = address.substr(address.rfind('@') + 1);
  const auto minutes = views::text(own, "tlsMinutes");
  auto rules = rulesView(views::part(stored, "rules"));
  return visit.page("list-protection", {"Protection of " + address, "lists", status},
                    {{"address", address},
                     {"path", views::listPath(address)},
                     {"action", protectionPath(address)},
                     {"domain", domain},
                     {"domainPath", views::may(visit, Admin) ? domainPath(domain) : std::string()},
                     {"secure", views::flag(stored, "secure")},
                     {"class", words::listClass(views::text(stored, "class"))},
                     {"rules", rules},
                     {"openpgpKey", words::fingerprint(views::text(stored, "openpgpKey"))},
                     {"mayChange", views::may(visit, Admin | Owner)},
                     {"floors", floorOptions(fieldOf(visit, "floor", views::text(own, "floor")), "As the domain says")},
                     {"ladders", ladderOptions(fieldOf(visit, "ladder", joined(views::part(own, "ladder"))),
                                               "As the domain says for lists of this class")},
                     {"tlsMinutes", visit.request.form.get("tlsMinutes", minutes == "null" ? std::string() : minutes)},
                     {"freshKeys", views::flag(own, "freshKeys")},
                     {"mailPlan", views::flag(own, "mailPlan")},
                     {"planOnWish", views::flag(own, "planOnWish")},
                     {"refusal", refusal}});
}

Response drawDomainProtection(const Visit& visit, int status, const json& refusal) {
  const auto& name = visit.param("domain");
  const auto stored = visit.order("domain.protection", {{"name", name}});
  const auto minutes = views::text(stored, "tlsMinutes");
  json classes = json::array();
  for (const auto* sensitivity : {"low", "moderate", "high"})
    classes.push_back({{"field", sensitivity},
                       {"label", words::listClass(sensitivity)},
                       {"now", rulesView(views::part(views::part(stored, "rules"), sensitivity))},
                       {"ladders", ladderOptions(fieldOf(visit, sensitivity, joined(views::part(stored, sensitivity))),
                                                 "As Postern does")}});
  return visit.page("domain-protection", {"Protection in " + name, "lists", status},
                    {{"name", name},
                     {"action", domainPath(name)},
                     {"classes", classes},
                     {"floors", floorOptions(fieldOf(visit, "floor", views::text(stored, "floor")),
                                             "Verified TLS: the weakest there is")},
                     {"tlsMinutes", visit.request.form.get("tlsMinutes", minutes == "null" ? std::string() : minutes)},
                     {"mayChange", views::may(visit, Admin)},
                     {"refusal", refusal}});
}

void takeMinutes(const Fields& form, json& args) {
  if (!form.has("tlsMinutes")) return;
  args["tlsMinutes"] = orDefault(form.get("tlsMinutes"));
}

std::string planPath(const Visit& visit, const std::string& protection, const std::string& reason,
                     const std::string& after) {
  auto path = views::listPath(visit.param("list")) + "/plan";
  char separator = '?';
  for (const auto& [name, value] : {std::pair<const char*, std::string>{"class", visit.request.query.get("class")},
                                    {"protection", protection},
                                    {"reason", reason},
                                    {"after", after}}) {
    if (value.empty()) continue;
    path += separator + std::string(name) + "=" + percentEncode(value);
    separator = '&';
  }
  return path;
}

std::string sentence(const json& plan) {
  std::map<std::string, std::uint64_t> sums;
  for (const auto& group : views::part(plan, "counts"))
    sums[views::text(group, "protection")] += views::number(group, "count");
  return app::planSentence(sums);
}

}  // namespace

Response listProtection(Visit& visit) {
  return drawListProtection(visit, 200, nullptr);
}

Response setListProtection(Visit& visit) {
  const auto& form = visit.request.form;
  json args = {{"address", visit.param("list")}};
  for (const auto* field : {"floor", "ladder"})
    if (form.has(field)) args[field] = form.get(field);
  takeMinutes(form, args);
  args["freshKeys"] = form.get("freshKeys") == "yes";
  args["mailPlan"] = form.get("mailPlan") == "yes";
  args["planOnWish"] = form.get("planOnWish") == "yes";
  try {
    visit.order("list.protect", args);
  } catch (const app::OrderRefused& refused) {
    return drawListProtection(visit, 422, views::refusal(refused));
  }
  return Response::redirect(protectionPath(visit.param("list")) + "?done=protection-saved");
}

Response domainProtection(Visit& visit) {
  return drawDomainProtection(visit, 200, nullptr);
}

Response setDomainProtection(Visit& visit) {
  const auto& form = visit.request.form;
  json args = {{"name", visit.param("domain")}};
  for (const auto* field : {"floor", "low", "moderate", "high"})
    if (form.has(field)) args[field] = form.get(field);
  takeMinutes(form, args);
  try {
    visit.order("domain.protect", args);
  } catch (const app::OrderRefused& refused) {
    return drawDomainProtection(visit, 422, views::refusal(refused));
  }
  return Response::redirect(domainPath(visit.param("domain")) + "?done=protection-saved");
}

Response listPlan(Visit& visit) {
  const auto& query = visit.request.query;
  const auto protection = query.get("protection");
  const auto reason = query.get("reason");
  json args = {{"address", visit.param("list")}, {"limit", PageSize}};
  for (const auto* name : {"class", "protection", "reason", "after"})
    if (!query.get(name).empty()) args[name] = query.get(name);
  const auto plan = visit.order("list.plan", args);
  std::vector<std::pair<std::string, std::uint64_t>> bar;
  json groups = json::array();
  for (const auto& group : views::part(plan, "counts")) {
    const auto word = views::text(group, "protection");
    const auto why = views::text(group, "reason");
    if (bar.empty() || bar.back().first != word) bar.emplace_back(word, 0);
    bar.back().second += views::number(group, "count");
    groups.push_back({{"protection", words::protection(word)},
                      {"reason", words::reason(why)},
                      {"count", words::count(views::number(group, "count"))},
                      {"chosen", word == protection && (reason.empty() || reason == why)},
                      {"path", planPath(visit, word, why, {})}});
  }
  json members = json::array();
  for (const auto& member : views::part(plan, "items"))
    members.push_back(
        {{"address", views::text(member, "address")},
         {"name", views::text(member, "name")},
         {"path", views::may(visit, Admin) ? views::memberPath(visit.param("list"), views::text(member, "address"))
                                           : std::string()},
         {"reason", words::reason(views::text(member, "reason"))}});
  json pager;
  if (!query.get("after").empty()) pager["first"] = planPath(visit, protection, reason, {});
  if (!views::text(plan, "next").empty())
    pager["next"] = planPath(visit, protection, reason, views::text(plan, "next"));
  return visit.page("list-plan", {"Fan-out plan of " + visit.param("list"), "lists"},
                    {{"address", visit.param("list")},
                     {"path", views::listPath(visit.param("list"))},
                     {"secure", views::flag(plan, "secure")},
                     {"sentence", sentence(plan)},
                     {"percent", views::text(plan, "percent")},
                     {"classes", views::classOptions(views::text(plan, "class"))},
                     {"rules", rulesView(views::part(plan, "rules"))},
                     {"readiness", views::protectionBar(bar)},
                     {"noMembers", views::number(plan, "total") == 0},
                     {"groups", groups},
                     {"chosen", protection.empty() ? json(nullptr)
                                                   : json{{"protection", words::protection(protection)},
                                                          {"members", members},
                                                          {"none", members.empty()}}},
                     {"pager", pager}});
}

Response setMemberWish(Visit& visit) {
  visit.order("member.set", {{"list", visit.param("list")},
                             {"address", visit.param("member")},
                             {"wish", visit.request.form.get("wish", "none")}});
  return Response::redirect(views::memberPath(visit.param("list"), visit.param("member")) + "?done=wish-saved");
}

}  // namespace postern::webadmin::pages
