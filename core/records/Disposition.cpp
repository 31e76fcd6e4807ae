#include "core/records/Disposition.h"

#include <algorithm>
#include <array>

namespace postern::records {

namespace {

Truth matchOf(const Rule& rule, const Facts& facts, const Lookups& lookups) {
  const auto fromFacts = rule.scope.matchesFacts(facts);
  if (fromFacts == Truth::False) return Truth::False;
  auto match = fromFacts;
  if (rule.scope.needsContent()) match = both(match, lookups.content ? lookups.content(rule.scope) : Truth::Unknown);
  // The sender writes the Date: field, so that alone gets nothing deleted.
  if (match == Truth::True && !rule.scope.receivedWithin(facts.receivedAt)) match = Truth::Unknown;
  return match;
}

std::optional<TimePoint> startOf(const Rule& rule, const Facts& facts, const Lookups& lookups) {
  if (rule.start == "received") return facts.receivedAt;
  return lookups.event ? lookups.event(rule.start) : std::nullopt;
}

// What the rules of one tier say about deletion.
struct TierDeletion {
  bool any = false;  // a rule that matches for certain
  TimePoint at = Never;
  Action action = Action::Purge;
  std::uint64_t rule = 0;
  bool anyUncertain = false;
  TimePoint latestUncertain = Earliest;

  void add(const Rule& candidate, TimePoint end, Truth match) {
    if (match == Truth::Unknown) {
      anyUncertain = true;
      latestUncertain = std::max(latestUncertain, end);
      return;
    }
    const bool first = !any || end < at;
    const bool tie = any && end == at;
    if (first || (tie && (candidate.action < action || (candidate.action == action && candidate.id < rule)))) {
      action = candidate.action;
      rule = candidate.id;
    }
    any = true;
    at = std::min(at, end);
  }
};

// One pass over the rules in any order.
struct Sum {
  TimePoint retain = Earliest;
  TimePoint retainDefault = Earliest;
  bool defaultSwitchedOff = false;
  std::array<TierDeletion, 3> tiers;  // Default, Scoped, Label

  void add(const Rule& rule, const Facts& facts, const Lookups& lookups) {
    const auto match = matchOf(rule, facts, lookups);
    if (match == Truth::False) return;
    const auto start = startOf(rule, facts, lookups);
    const auto end = start ? rule.period.after(*start) : Never;
    if (rule.retains()) {
      auto& until = rule.tier == Tier::Default ? retainDefault : retain;
      until = std::max(until, end);
    }
    if (rule.deletes()) tiers[static_cast<std::size_t>(rule.tier)].add(rule, end, match);
    if (match == Truth::True && rule.effect == Effect::Both && (rule.tier == Tier::Label || rule.tier == Tier::Scoped))
      defaultSwitchedOff = true;
  }

  Dates dates() const {
    Dates result;
    result.retainUntil = defaultSwitchedOff ? retain : std::max(retain, retainDefault);
    auto latestDelete = Earliest;
    for (auto tier = tiers.rbegin(); tier != tiers.rend(); ++tier) {
      if (tier->any) {
        result.deleteAt = tier->at;
        result.action = tier->action;
        result.decidingRule = tier->rule;
        break;
      }
      if (tier->anyUncertain) latestDelete = std::max(latestDelete, tier->latestUncertain);
    }
    result.disposeAt = result.deleteAt == Never ? Never : std::max(result.retainUntil, result.deleteAt);
    result.latestAt = std::max(result.disposeAt, latestDelete);
    return result;
  }
};

Line lineOf(const Rule& rule, const Facts& facts, const Lookups& lookups, Truth match) {
  Line line{.ruleId = rule.id,
            .version = rule.version,
            .name = rule.name,
            .tier = rule.tier,
            .effect = rule.effect,
            .action = rule.action,
            .period = rule.period,
            .startEvent = rule.start,
            .start = startOf(rule, facts, lookups),
            .match = match};
  const auto end = line.start ? rule.period.after(*line.start) : Never;
  if (rule.retains()) line.retainEnd = end;
  if (rule.deletes()) line.deleteEnd = end;
  return line;
}

bool deletes(const Line& line) {
  return line.match == Truth::True && line.effect != Effect::Retain && line.tier != Tier::Floor;
}

bool retains(const Line& line) {
  return line.effect != Effect::Delete && !line.switchedOff;
}

bool precedes(const Rule& a, const Rule& b) {
  return a.tier != b.tier ? a.tier > b.tier : a.id < b.id;
}

void decideRetention(Disposition& result) {
  const bool replaced = std::any_of(result.lines.begin(), result.lines.end(), [](const Line& line) {
    return line.match == Truth::True && line.effect == Effect::Both &&
           (line.tier == Tier::Label || line.tier == Tier::Scoped);
  });
  for (auto& line : result.lines) {
    line.switchedOff = replaced && line.tier == Tier::Default && line.effect != Effect::Delete;
    if (retains(line)) result.retainUntil = std::max(result.retainUntil, line.retainEnd);
  }
  for (auto& line : result.lines) line.decidesRetain = retains(line) && line.retainEnd == result.retainUntil;
}

// The lines stand in the order of their tiers, so the first that deletes shows the tier that decides.
void decideDeletion(Disposition& result) {
  auto latestDelete = Earliest;
  const auto first = std::find_if(result.lines.begin(), result.lines.end(), deletes);
  const Line* deciding = nullptr;
  for (auto& line : result.lines) {
    const bool above = first == result.lines.end() || line.tier > first->tier;
    if (above && line.match == Truth::Unknown && line.effect != Effect::Retain && line.tier != Tier::Floor)
      latestDelete = std::max(latestDelete, line.deleteEnd);
    if (above || line.tier != first->tier || !deletes(line)) continue;
    if (!deciding || line.deleteEnd < deciding->deleteEnd ||
        (line.deleteEnd == deciding->deleteEnd && line.action < deciding->action))
      deciding = &line;
  }
  if (deciding) {
    result.deleteAt = deciding->deleteEnd;
    result.action = deciding->action;
    result.decidingRule = deciding->ruleId;
    for (auto& line : result.lines)
      line.decidesDelete = deletes(line) && line.tier == deciding->tier && line.deleteEnd == deciding->deleteEnd &&
                           line.action == deciding->action;
  }
  if (result.deleteAt != Never) result.disposeAt = std::max(result.retainUntil, result.deleteAt);
  result.latestAt = std::max(result.disposeAt, latestDelete);
}

}  // namespace

Disposition dispositionOf(std::span<const Rule> rules, const Facts& facts, const Lookups& lookups) {
  std::vector<const Rule*> ordered;
  for (const auto& rule : rules)
    if (rule.enabled) ordered.push_back(&rule);
  std::stable_sort(ordered.begin(), ordered.end(), [](const Rule* a, const Rule* b) { return precedes(*a, *b); });
  Disposition result;
  for (const auto* rule : ordered)
    if (const auto match = matchOf(*rule, facts, lookups); match != Truth::False)
      result.lines.push_back(lineOf(*rule, facts, lookups, match));
  decideRetention(result);
  decideDeletion(result);
  return result;
}

Dates datesOf(std::span<const Rule> rules, const Facts& facts, const Lookups& lookups) {
  Sum sum;
  for (const auto& rule : rules)
    if (rule.enabled) sum.add(rule, facts, lookups);
  return sum.dates();
}

RuleSet::RuleSet(std::vector<Rule> rules) : rules_(std::move(rules)) {
  std::erase_if(rules_, [](const Rule& rule) { return !rule.enabled; });
  std::stable_sort(rules_.begin(), rules_.end(), precedes);
  for (const auto& rule : rules_) {
    needsContent_ = needsContent_ || rule.scope.needsContent();
    needsEvents_ = needsEvents_ || rule.start != "received";
  }
}

Dates RuleSet::datesOf(const Facts& facts, const Lookups& lookups) const {
  return records::datesOf(rules_, facts, lookups);
}

}  // namespace postern::records
