#include "core/records/Rule.h"

#include <algorithm>

namespace postern::records {

namespace {

// A rule that is switched off is none.
const Rule* live(const Rule* rule) {
  return rule && rule->enabled ? rule : nullptr;
}

// Whether every message that `before` keeps is kept as long by `after`.
bool keepsAsLong(const Rule& before, const Rule& after) {
  if (!before.retains()) return true;
  // Only the default's retain part can be switched off by others.
  if (after.tier == Tier::Default && before.tier != Tier::Default) return false;
  return after.retains() && after.start == before.start && after.period.lastsAtLeast(before.period) &&
         after.scope.covers(before.scope);
}

// Whether no message is deleted earlier, by this rule or by one of a lower tier that this one stood before.
bool deletesNoEarlier(const Rule& before, const Rule& after) {
  if (!after.deletes()) return !before.deletes() || before.tier == Tier::Default;
  if (!before.deletes() || before.tier != after.tier || before.start != after.start) return false;
  if (before.action < after.action || !after.period.lastsAtLeast(before.period)) return false;
  if (before.tier == Tier::Default) return before.scope.covers(after.scope);
  // A complete life cycle switches the default off; fewer matches uncover lower tiers, more delete more.
  return before.effect == after.effect && before.scope.covers(after.scope) && after.scope.covers(before.scope);
}

std::string scopeWords(const Predicate& scope) {
  const auto words = scope.sentence();
  return scope == Predicate() ? words : "mail " + words;
}

std::string startWords(const Rule& rule) {
  return rule.start == "received" ? "receipt" : "the event " + rule.start;
}

// "then purge it."
const char* thenWords(Action action) {
  switch (action) {
    case Action::Review:
      return "then put it up for review";
    case Action::Anonymise:
      return "then make it anonymous";
    case Action::Purge:
      return "then purge it";
    case Action::Shred:
      return "then destroy its key";
  }
  return "";
}

const char* doWords(Action action) {
  switch (action) {
    case Action::Review:
      return "Put up for review";
    case Action::Anonymise:
      return "Make anonymous";
    case Action::Purge:
      return "Purge";
    case Action::Shred:
      return "Destroy the key of";
  }
  return "";
}

}  // namespace

std::string Rule::sentence() const {
  std::string text;
  const bool forever = period.unit == Period::Unit::Forever;
  if (!retains()) {
    text = std::string(doWords(action)) + " " + scopeWords(scope) + " " + period.text() + " after " +
           startWords(*this) + ", unless something keeps it longer";
  } else {
    text = "Keep " + scopeWords(scope);
    text +=
        forever ? " for ever" : (deletes() ? " for " : " for at least ") + period.text() + " from " + startWords(*this);
    if (deletes() && !forever) text += std::string(", ") + thenWords(action);
  }
  text += '.';
  if (locked) text += " Locked: it can only be extended or widened.";
  if (!enabled) text += " Switched off.";
  return text;
}

bool mayShorten(const Rule* before, const Rule* after) {
  before = live(before);
  after = live(after);
  if (!before && !after) return false;
  if (!before) return after->deletes();
  if (!after) return before->retains() || before->tier != Tier::Default;
  return !keepsAsLong(*before, *after) || !deletesNoEarlier(*before, *after);
}

std::optional<std::string> lockForbids(const Rule& before, const Rule* after) {
  if (!before.locked || before.tier != Tier::Floor) return std::nullopt;
  const std::string name = "The floor \"" + before.name + "\" is locked: ";
  if (!after) return name + "it cannot be removed.";
  if (after->tier != Tier::Floor || after->effect != Effect::Retain) return name + "it must stay a floor that retains.";
  if (!after->locked) return name + "it cannot be unlocked.";
  if (before.enabled && !after->enabled) return name + "it cannot be switched off.";
  if (after->start != before.start) return name + "the event that starts its period cannot change.";
  if (!after->period.lastsAtLeast(before.period))
    return name + "its period of " + before.period.text() + " can only be extended.";
  if (!after->scope.covers(before.scope)) return name + "what it applies to can only be widened.";
  return std::nullopt;
}

std::vector<Rule> rulesInForce(std::span<const Rule> versions, TimePoint at) {
  const auto newer = [](const Rule& a, const Rule& b) {
    return a.effectiveFrom != b.effectiveFrom ? a.effectiveFrom > b.effectiveFrom : a.version > b.version;
  };
  std::vector<Rule> result;
  for (const auto& rule : versions) {
    if (rule.effectiveFrom > at) continue;
    const auto known =
        std::find_if(result.begin(), result.end(), [&](const Rule& other) { return other.id == rule.id; });
    if (known == result.end())
      result.push_back(rule);
    else if (newer(rule, *known))
      *known = rule;
  }
  return result;
}

}  // namespace postern::records
