#include "core/base/Error.h"
#include "core/crypto/Digest.h"
#include "core/crypto/Encoding.h"
#include "listd/orders/Views.h"
#include "listd/retention/Retention.h"
#include "listd/retention/RetentionOrders.h"
#include "listd/retention/RetentionRequests.h"

namespace postern::listd {

using nlohmann::json;
using records::Rule;

namespace {

using app::Role;
constexpr auto Readers = Role::Officer | Role::Auditor | Role::Approver | Role::Admin;

json versionView(const RuleVersion& version) {
  auto view = version.rule.json();
  view["id"] = std::to_string(version.rule.id);
  view["version"] = version.rule.version;
  view["effectiveFrom"] = toMicros(version.rule.effectiveFrom);
  view["sentence"] = version.removed ? "The rule is removed." : version.rule.sentence();
  return view;
}

json pendingOf(const std::vector<RuleVersion>& pending, std::uint64_t id) {
  for (const auto& version : pending)
    if (version.rule.id == id) {
      auto view = versionView(version);
      view["removed"] = version.removed;
      return view;
    }
  return nullptr;
}

// A rule that ends before an unconditional floor has no effect until then.
json shadowOf(const Rule& rule, const std::vector<Rule>& rules) {
  if (rule.tier == records::Tier::Floor) return nullptr;
  for (const auto& other : rules)
    if (other.enabled && other.tier == records::Tier::Floor && other.scope == records::Predicate() &&
        other.start == rule.start && !rule.period.lastsAtLeast(other.period))
      return other.name;
  return nullptr;
}

// Counts, and what a person must know of the rule: by the last count of the archive, never by a scan.
void complete(json& view, const Rule& rule, const std::vector<Rule>& inForce,
              const std::optional<CountedArchive>& counted) {
  view["matched"] = view["warning"] = nullptr;
  view["matchedAt"] = 0;
  if (counted && counted->counts.at("matched").contains(std::to_string(rule.id))) {
    view["matched"] = counted->counts.at("matched").at(std::to_string(rule.id));
    view["matchedAt"] = toMicros(counted->asOf);
  }
  view["shadowedBy"] = shadowOf(rule, inForce);
  if (!view["shadowedBy"].is_null())
    view["warning"] = "The rule of " + rule.period.text() + " has no effect before the floor " +
                      view["shadowedBy"].get<std::string>() + " ends.";
}

json listRules(OrderTools& tools, const OrderCall& call) {
  const auto at = timeOr(call.args, "at", tools.now());
  return tools.context.site.read([&](SiteTables& tables) {
    const auto pending = tables.rules.pending(at);
    const auto rules = tables.rules.inForce(at);
    const auto counted = tables.retention.counted();
    json items = json::array();
    const auto add = [&](const RuleVersion& version) {
      auto view = versionView(version);
      view["pending"] = pendingOf(pending, version.rule.id);
      complete(view, version.rule, rules, counted);
      items.push_back(std::move(view));
    };
    const auto current = tables.rules.current(at);
    for (const auto& version : current) add(version);
    for (const auto& version : pending) {  // new ones that wait for their day
      const bool known =
          std::any_of(current.begin(), current.end(), [&](const auto& one) { return one.rule.id == version.rule.id; });
      if (!known && !version.removed) add(version);
    }
    return pageOf(std::move(items), "");
  });
}

json showRule(OrderTools& tools, const OrderCall& call) {
  const auto id = call.args.id("id");
  return tools.context.site.read([&](SiteTables& tables) {
    const auto versions = tables.rules.history(id);
    if (versions.empty()) refuse("not-found", "there is no such rule", "see: postern retention rule-list");
    auto view = versionView(versions.back());
    view["pending"] = pendingOf(tables.rules.pending(tools.now()), id);
    complete(view, versions.back().rule, tables.rules.inForce(tools.now()), tables.retention.counted());
    view["history"] = json::array();
    for (const auto& version : versions)
      view["history"].push_back({{"version", version.rule.version},
                                 {"at", toMicros(version.madeAt)},
                                 {"by", version.madeBy},
                                 {"reason", version.reason},
                                 {"sentence", versionView(version).at("sentence")},
                                 {"effectiveFrom", toMicros(version.rule.effectiveFrom)},
                                 {"request", version.request}});
    return view;
  });
}

// Every version that is in force now or will be: what a change is measured against.
std::vector<const RuleVersion*> standingVersions(const std::vector<RuleVersion>& history, TimePoint now) {
  std::vector<const RuleVersion*> standing;
  for (const auto& version : history) {
    const bool superseded = std::any_of(history.begin(), history.end(), [&](const auto& other) {
      return other.rule.version > version.rule.version &&
             other.rule.effectiveFrom <= std::max(now, version.rule.effectiveFrom);
    });
    if (!superseded) standing.push_back(&version);
  }
  return standing;
}

void checkDraft(SiteTables& tables, const RuleDraft& draft, const std::vector<RuleVersion>& history, TimePoint now) {
  const Rule* after = draft.rule ? &*draft.rule : nullptr;
  for (const auto* version : standingVersions(history, now)) {
    if (version->removed) continue;
    if (const auto why = records::lockForbids(version->rule, after))
      refuse("refused", *why, "a locked floor can be extended or widened only");
  }
  if (after == nullptr || after->tier != records::Tier::Default) return;
  for (const auto& other : tables.rules.inForce(records::Never))
    if (other.tier == records::Tier::Default && other.id != after->id)
      refuse("exists", "there is a default rule already: " + other.name, "change that one");
}

bool shortens(SiteTables& tables, const RuleDraft& draft, const std::vector<RuleVersion>& history, TimePoint now) {
  if (tables.archive.count() == 0) return false;  // an empty archive shortens nothing
  const Rule* after = draft.rule ? &*draft.rule : nullptr;
  const auto standing = standingVersions(history, now);
  if (standing.empty()) return records::mayShorten(nullptr, after);
  return std::any_of(standing.begin(), standing.end(), [&](const auto* version) {
    return records::mayShorten(version->removed ? nullptr : &version->rule, after);
  });
}

std::string digestOf(const json& value) {
  return value.is_null() ? std::string() : crypto::hex(crypto::sha256(value.dump()));
}

json changeRule(OrderTools& tools, const OrderCall& call, const RuleDraft& draft, const std::string& reason) {
  const auto id = draft.rule ? draft.rule->id : draft.remove;
  const auto now = tools.now();
  return change(tools, call, [&](SiteTables& tables) -> json {
    const auto history = id == 0 ? std::vector<RuleVersion>() : tables.rules.history(id);
    if (id != 0 && (history.empty() || history.back().removed))
      refuse("not-found", "there is no such rule", "see: postern retention rule-list");
    const json before = history.empty() ? json() : history.back().rule.json();
    const json after = draft.rule ? draft.rule->json() : json();
    call.note.objectType = "rule";
    call.note.objectId = std::to_string(id);
    call.note.reasonText = reason;
    call.note.beforeDigest = digestOf(before);
    call.note.afterDigest = digestOf(after);
    checkDraft(tables, draft, history, now);  // a refusal is recorded with what was wanted
    if (!shortens(tables, draft, history, now)) {
      RuleVersion version{draft.rule ? *draft.rule : history.back().rule, !draft.rule, now, call.actor.name, reason, 0};
      version.rule.effectiveFrom = now;
      return versionView(enact(tools.context, tables, std::move(version)));
    }
    RuleChange wanted{draft, reason, before, after, whatIfFor(tables, call.args, draft, now)};
    return {{"request", requestRuleChange(tools, tables, call, wanted)}};
  });
}

json proposeRule(OrderTools& tools, const OrderCall& call) {
  const auto draft =
      tools.context.site.read([&](SiteTables& tables) { return draftOf(tables, call.args, tools.now()); });
  if (!draft.rule) refuse("usage", "\"rule\" is missing");
  return changeRule(tools, call, draft, call.args.text("reason", 500));
}

json removeRule(OrderTools& tools, const OrderCall& call) {
  RuleDraft draft;
  draft.remove = call.args.id("id");
  return changeRule(tools, call, draft, call.args.text("reason", 500));
}

json eventView(SiteTables& tables, const RetentionEvent& event) {
  const auto list = event.listId == 0 ? std::nullopt : tables.lists.find(event.listId);
  return {{"event", event.event},
          {"list", list ? json(list->address) : json()},
          {"object", event.objectId == 0 ? json() : json(std::to_string(event.objectId))},
          {"at", toMicros(event.at)}};
}

json recordEventOrder(OrderTools& tools, const OrderCall& call) {
  const auto now = tools.now();
  RetentionEvent event;
  event.event = call.args.text("event", 60);
  if (event.event == "received") refuse("invalid", "receipt is no event that can be recorded");
  event.at = timeOr(call.args, "at", now);
  if (event.at > now) refuse("invalid", "an event cannot be recorded before it happened");
  event.recordedAt = now;
  event.recordedBy = call.actor.name;
  event.reason = call.args.text("reason", 500);
  return change(tools, call, [&](SiteTables& tables) -> json {
    if (call.args.has("list"))
      event.listId = requireList(tables, call.args).id;
    else
      event.objectId = objectOf(call.args);
    call.note.objectType = "event";
    call.note.objectId = event.event;
    call.note.listId = event.listId;
    call.note.reasonText = event.reason;
    // Periods that it starts could be over at once: what destroys at once needs a second person.
    if (event.at + records::ShortenWait < now) return {{"request", requestEvent(tools, tables, call, event)}};
    if (!tables.rules.record(event))
      refuse("exists", "that event is recorded already", "an event happens once; its time never moves");
    return eventView(tables, event);
  });
}

json listEvents(OrderTools& tools, const OrderCall&) {
  return tools.context.site.read([&](SiteTables& tables) {
    json items = json::array();
    for (const auto& event : tables.rules.events()) items.push_back(eventView(tables, event));
    return pageOf(std::move(items), "");
  });
}

constexpr OrderRow Table[] = {
    {"rule.list", OrderKind::Reads, listRules, {Readers}},
    {"rule.show", OrderKind::Reads, showRule, {Role::Officer | Role::Auditor | Role::Approver}},
    {"rule.propose", OrderKind::Changes, proposeRule, {Role::Officer}},
    {"rule.remove", OrderKind::Changes, removeRule, {Role::Officer}},
    {"event.record", OrderKind::Changes, recordEventOrder, {Role::Officer}},
    {"event.list", OrderKind::Reads, listEvents, {Role::Officer | Role::Auditor}},
};

}  // namespace

std::span<const OrderRow> ruleOrders() {
  return Table;
}

}  // namespace postern::listd
