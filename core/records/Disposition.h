#pragma once
#include "core/records/Hold.h"
#include "core/records/Rule.h"

#include <functional>
#include <span>
#include <string>
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
struct Line {
  std::uint64_t ruleId = 0;
  std::uint32_t version = 0;
  std::string name;
  Tier tier = Tier::Scoped;
  Effect effect = Effect::Both;
  Period period;
  std::string startEvent;
  std::optional<TimePoint> start;  // nothing: the event has not happened
  TimePoint retainEnd = Earliest;  // Earliest: no retain effect here; Never: for ever or not started
  TimePoint deleteEnd = Never;     // Never: no delete effect, or not started
  Truth match = Truth::True;       // Unknown: counted as matching for retention, as not matching for deletion
  bool switchedOff = false;        // the default's retain part, replaced by a complete life cycle
  bool decidesRetain = false;
  bool decidesDelete = false;
};

// RetainUntil, DeleteAt and DisposeAt of one reference at one time, with the arithmetic that gives them.
struct Disposition {
  TimePoint retainUntil = Earliest;
  TimePoint deleteAt = Never;
  TimePoint disposeAt = Never;
  Action action = Action::Purge;
  std::vector<Line> lines;  // rules that match or may match, floors first
  bool isDue(TimePoint now) const { return disposeAt != Never && now >= disposeAt; }
};

// Pure: the same arguments give the same result. `rules`: the versions in force at the time in question, in any order;
// disabled ones do not count.
Disposition dispositionOf(std::span<const Rule> rules, const Facts& facts, const Lookups& lookups);

// The same without the lines, for scanning an archive.
struct Dates {
  TimePoint retainUntil = Earliest;
  TimePoint deleteAt = Never;
  TimePoint disposeAt = Never;
  Action action = Action::Purge;
  std::uint64_t decidingRule = 0;  // that gives DeleteAt; 0: none
};
Dates datesOf(std::span<const Rule> rules, const Facts& facts, const Lookups& lookups);

}  // namespace postern::records
