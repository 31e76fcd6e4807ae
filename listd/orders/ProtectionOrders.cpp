#include "listd/orders/ProtectionOrders.h"

#include "core/app/PlanWords.h"
#include "listd/orders/OrderTools.h"
#include "listd/orders/Views.h"
#include "listd/plan/PlanPreview.h"
#include "listd/plan/Standing.h"
#include "listd/probe/DomainProbes.h"

#include <algorithm>
#include <charconv>
#include <map>

namespace postern::listd {

using app::Protection;
using app::Role;
using nlohmann::json;

namespace {

constexpr std::uint64_t MostMinutes = 5 * 24 * 60;  // behind it a copy would have expired anyhow
constexpr std::uint64_t MostBytes = 1ull << 40;

// "default" takes a setting back: the list does as its domain says, the domain as Postern does.
void takeFloor(const Args& args, std::optional<Protection>& floor) {
  if (!args.has("floor")) return;
  const auto word = args.text("floor");
  if (word == "none")
    refuse("refused", "a secure list never has the floor none",
           "the weakest floor is tls; for plain copies make an open list");
  if (word == "default") return floor.reset();
  floor = parseProtection(word);
  if (!floor) refuse("invalid", "\"" + word + "\" is no protection", "give smime, openpgp, pickup, tls or default");
}

void takeRungs(const Args& args, std::string_view argument, std::vector<Protection>& rungs) {
  if (!args.has(argument)) return;
  auto words = args.text(argument);
  std::erase(words, ' ');
  if (words == "default") return rungs.clear();
  auto parsed = parseRungs(words);
  if (!parsed || parsed->empty())
    refuse("invalid", "\"" + words + "\" is no ladder",
           "name each of smime, openpgp, tls, pickup at most once, in the order in which they are tried, as in "
           "smime,openpgp,pickup");
  rungs = std::move(*parsed);
}

void takeMinutes(const Args& args, std::optional<std::chrono::minutes>& time) {
  if (!args.has("tlsMinutes")) return;
  const auto value = args.value("tlsMinutes");
  if (value.is_string() && value == "default") return time.reset();
  std::uint64_t minutes = 0;
  if (value.is_number_unsigned()) {
    minutes = value.get<std::uint64_t>();
  } else if (value.is_string()) {
    const auto text = value.get<std::string>();
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), minutes);
    if (error != std::errc() || end != text.data() + text.size()) minutes = 0;
  }
  if (minutes < 1 || minutes > MostMinutes)
    refuse("invalid", "that is no time to wait for verified TLS",
           "give minutes from 1 to " + std::to_string(MostMinutes) + ", or default");
  time = std::chrono::minutes(minutes);
}

bool yes(const Args& args, std::string_view argument, bool now) {
  if (!args.has(argument)) return now;
  if (args.value(argument).is_string()) return args.word(argument, "no", {"yes", "no"}) == "yes";
  return args.flag(argument);
}

// A ladder without a rung at its floor would withhold every copy, and nobody would have meant that.
void requireReachable(const LadderRules& rules) {
  const bool any =
      std::any_of(rules.rungs.begin(), rules.rungs.end(), [&](Protection rung) { return rung >= rules.floor; });
  if (!any)
    refuse("invalid",
           "no rung of the ladder " + rungWords(rules.rungs) + " reaches the floor " +
               app::protectionName(rules.floor) + ": every copy would be withheld",
           "lower the floor or add a rung");
}

List requireSecure(SiteTables& tables, const Args& args) {
  auto list = requireList(tables, args, "address");
  if (!list.secure)
    refuse("refused", list.address + " is an open list: its copies are plain mail",
           "make a secure list and move the members");
  return list;
}

json protectionOf(const SiteTables& tables, const List& list) {
  return {{"address", list.address},
          {"secure", list.secure},
          {"class", list.sensitivity},
          {"list", viewOf(list.protection)},
          {"domain", viewOf(tables.domains.protection(list.domain))},
          {"rules", viewOf(rulesOf(tables, list))},
          {"openpgpKey", list.openPgpFingerprint}};
}

json showProtection(OrderTools& tools, const OrderCall& call) {
  return tools.context.site.read(
      [&](SiteTables& tables) { return protectionOf(tables, requireList(tables, call.args, "address")); });
}

json protectList(OrderTools& tools, const OrderCall& call) {
  auto answer = change(tools, call, [&](SiteTables& tables) {
    auto list = requireSecure(tables, call.args);
    takeFloor(call.args, list.protection.floor);
    takeRungs(call.args, "ladder", list.protection.rungs);
    takeMinutes(call.args, list.protection.tlsWithin);
    list.protection.freshKeys = yes(call.args, "freshKeys", list.protection.freshKeys);
    list.protection.mailPlan = yes(call.args, "mailPlan", list.protection.mailPlan);
    list.protection.planOnWish = yes(call.args, "planOnWish", list.protection.planOnWish);
    const auto rules = rulesOf(tables, list);
    requireReachable(rules);
    tables.lists.update(list);
    refreshList(tables, list, tools.now());
    call.note.objectType = "list";
    call.note.objectId = std::to_string(list.id);
    call.note.listId = list.id;
    call.note.text("floor", app::protectionName(rules.floor)).text("ladder", rungWords(rules.rungs));
    return protectionOf(tables, list);
  });
  if (tools.probes != nullptr) tools.probes->lookForDue();
  return answer;
}

std::string requireDomainName(const SiteTables& tables, const Args& args) {
  auto name = args.domain("name").text();
  if (!tables.domains.find(name)) refuse("not-found", "there is no domain " + name, "see: postern domain list");
  return name;
}

json domainView(const SiteTables& tables, const std::string& name) {
  auto view = viewOf(tables.domains.protection(name));
  view["name"] = name;
  for (const auto* sensitivity : {"low", "moderate", "high"})
    view["rules"][sensitivity] = viewOf(rulesFor(true, {}, tables.domains.protection(name), sensitivity));
  return view;
}

json showDomainProtection(OrderTools& tools, const OrderCall& call) {
  return tools.context.site.read(
      [&](SiteTables& tables) { return domainView(tables, requireDomainName(tables, call.args)); });
}

json protectDomain(OrderTools& tools, const OrderCall& call) {
  auto answer = change(tools, call, [&](SiteTables& tables) {
    const auto name = requireDomainName(tables, call.args);
    auto protection = tables.domains.protection(name);
    takeFloor(call.args, protection.floor);
    takeRungs(call.args, "low", protection.low);
    takeRungs(call.args, "moderate", protection.moderate);
    takeRungs(call.args, "high", protection.high);
    takeMinutes(call.args, protection.tlsWithin);
    for (const auto* sensitivity : {"low", "moderate", "high"})
      requireReachable(rulesFor(true, {}, protection, sensitivity));
    tables.domains.setProtection(name, protection);
    for (const auto& list : tables.lists.all()) {
      if (list.domain != name || !list.secure || list.deletedAt != TimePoint()) continue;
      requireReachable(rulesOf(tables, list));
      refreshList(tables, list, tools.now());
    }
    call.note.objectType = "domain";
    call.note.text("name", name).text("floor", protection.floor ? app::protectionName(*protection.floor) : "default");
    return domainView(tables, name);
  });
  if (tools.probes != nullptr) tools.probes->lookForDue();
  return answer;
}

json groupsOf(const PlanPreview& plan) {
  auto items = json::array();
  for (const auto& group : plan.groups)
    items.push_back({{"protection", group.protection},
                     {"reason", group.reason},
                     {"count", group.members},
                     {"title", app::protectionTitle(group.protection)},
                     {"why", app::reasonText(group.reason)}});
  return items;
}

std::string sentenceOf(const PlanPreview& plan) {
  std::map<std::string, std::uint64_t> sums;
  for (const auto& group : plan.groups) sums[group.protection] += group.members;
  return app::planSentence(sums);
}

json planList(OrderTools& tools, const OrderCall& call) {
  const auto size = call.args.number("size", 0, 0, MostBytes);
  PlanQuestion question;
  question.sensitivity = call.args.word("class", "", {"", "low", "moderate", "high"});
  question.protection = call.args.word("protection", "", {"", "smime", "openpgp", "tls", "pickup", "none", "withheld"});
  question.reason = call.args.textOr("reason", {}, 40);
  question.after = call.args.textOr("after", {}, 400);
  question.limit = static_cast<std::uint32_t>(call.args.number("limit", 100, 1, 1000));
  return tools.context.site.read([&](SiteTables& tables) {
    const auto list = requireList(tables, call.args, "address");
    const auto plan = previewPlan(tables, list, question, tools.now());
    auto members = json::array();
    for (const auto& member : plan.members)
      members.push_back({{"address", member.address},
                         {"name", member.name},
                         {"protection", member.protection},
                         {"reason", member.reason},
                         {"why", app::reasonText(member.reason)}});
    const bool more = plan.members.size() == question.limit;
    return json{{"address", list.address},     {"secure", list.secure},
                {"class", plan.sensitivity},   {"rules", viewOf(plan.rules)},
                {"total", plan.total},         {"ready", plan.ready},
                {"percent", plan.percent()},   {"sentence", sentenceOf(plan)},
                {"counts", groupsOf(plan)},    {"bytes", size == 0 ? json(nullptr) : json(plan.bytes(size))},
                {"items", std::move(members)}, {"next", more ? plan.members.back().address : std::string()}};
  });
}

constexpr app::Roles WatchersAndOwners = Role::Admin | Role::Officer | Role::Auditor | Role::Helpdesk | Role::Owner;

constexpr OrderRow Table[] = {
    {"list.protection", OrderKind::Reads, showProtection, {WatchersAndOwners, false, "address"}},
    {"list.protect", OrderKind::Changes, protectList, {Role::Admin | Role::Owner, false, "address"}},
    {"list.plan", OrderKind::Reads, planList, {WatchersAndOwners, false, "address"}},
    {"domain.protection",
     OrderKind::Reads,
     showDomainProtection,
     {Role::Admin | Role::Officer | Role::Auditor | Role::Helpdesk}},
    {"domain.protect", OrderKind::Changes, protectDomain},
};

}  // namespace

std::span<const OrderRow> protectionOrders() {
  return Table;
}

}  // namespace postern::listd
