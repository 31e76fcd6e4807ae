#pragma once
#include "core/records/Hold.h"
#include "core/records/Rule.h"

#include <cstdint>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace postern::records {

// Answers for one message what its facts cannot. Both may be called several times with the same answer.
struct Lookups {
  // Truth of Predicate::contentQuery() for this message. Never called for predicates that need no content.
  std::function<Truth(const Predicate&)> content;
  // When the event happened for this reference ("list-closed", or a name recorded by the officer); nothing: not yet.
  std::function<std::optional<TimePoint>(std::string_view event)> event;
};

// One line of the arithmetic.
// Invariant: the lines of a Disposition alone give its dates again.
struct Line {
  std::uint64_t ruleId = 0;
  std::uint32_t version = 0;
  std::string name;
  Tier tier = Tier::Scoped;
  Effect effect = Effect::Both;
  Action action = Action::Purge;
  Period period;
  std::string startEvent;          // "received", or the event's name
  std::optional<TimePoint> start;  // nothing: the event has not happened
  TimePoint retainEnd = Earliest;  // Earliest: no retain effect here; Never: for ever or not started
  TimePoint deleteEnd = Never;     // Never: no delete effect, or not started
  // Unknown: it could not be evaluated, or only the Date: field lies within the rule's dates. Counted as matching for
  // retention, as not matching for deletion.
  Truth match = Truth::True;
  bool switchedOff = false;    // the default's retain part, replaced by a complete life cycle
  bool decidesRetain = false;  // retainEnd is RetainUntil
  bool decidesDelete = false;  // it gives DeleteAt (Never too) and the action

  std::string sentence() const;  // "label 'Clinical': kept until 2031-01-10 (2025-01-10 + 6 years)"
};

// RetainUntil, DeleteAt and DisposeAt of one reference.
struct Dates {
  TimePoint retainUntil = Earliest;
  TimePoint deleteAt = Never;
  TimePoint disposeAt = Never;
  // The latest that DisposeAt could be if rules that could not be evaluated do match: what destroys asks for this, so
  // that a failing index makes nothing go early. disposeAt where all rules are certain.
  TimePoint latestAt = Never;
  Action action = Action::Purge;
  std::uint64_t decidingRule = 0;  // that gives DeleteAt, or would if its event had happened; 0: none

  bool isDue(TimePoint now) const { return disposeAt != Never && now >= disposeAt; }
  bool isCertainlyDue(TimePoint now) const { return latestAt != Never && now >= latestAt; }
  bool operator==(const Dates&) const = default;
};

// The same with the arithmetic that gives them.
struct Disposition : Dates {
  std::vector<Line> lines;  // rules that match or may match, floors first, then by id
};

// Pure: the same arguments give the same result. `rules`: the versions in force at the time in question, in any order;
// disabled ones do not count.
Disposition dispositionOf(std::span<const Rule> rules, const Facts& facts, const Lookups& lookups);

// The same without the lines, for scanning an archive. Allocates nothing itself.
Dates datesOf(std::span<const Rule> rules, const Facts& facts, const Lookups& lookups);

// Rules made ready for many messages. Immutable; safe for all threads; owns its rules.
class RuleSet {
public:
  explicit RuleSet(std::vector<Rule> rules);

  Dates datesOf(const Facts& facts, const Lookups& lookups) const;
  bool needsContent() const { return needsContent_; }     // false: Lookups::content is never called
  bool needsEvents() const { return needsEvents_; }       // false: Lookups::event is never called
  std::span<const Rule> rules() const { return rules_; }  // the enabled ones, floors first, then by id

private:
  std::vector<Rule> rules_;
  bool needsContent_ = false;
  bool needsEvents_ = false;
};

// For people, one line: "Will be destroyed 2031-01-10: kept until 2031-01-10 by floor 'HIPAA' (2025-01-10 + 6 years);
// …". `heldUntil`: the latest heldUntil() of the holds that the reader may know of, Earliest: none.
std::string explainSentence(const Disposition& disposition, TimePoint now, TimePoint heldUntil = Earliest);

// As in the order retention.explain: retainUntil deleteAt disposeAt action due lines[…]. Times are microseconds,
// "never" for Never, null for Earliest and for a start that has not happened.
nlohmann::json dispositionJson(const Disposition& disposition, TimePoint now);
nlohmann::json timeJson(TimePoint time);

}  // namespace postern::records
