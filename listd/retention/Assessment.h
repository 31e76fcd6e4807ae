#pragma once
#include "core/records/Disposition.h"
#include "core/records/Hold.h"
#include "listd/archive/ArchiveStore.h"
#include "listd/retention/ContentAnswers.h"
#include "listd/site/SiteStore.h"

#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace postern::listd {

constexpr std::chrono::days RecoveryWindow{14};  // a person's delete can be undone so long

// A change that is not made yet, for what-ifs: a rule put in the place of the one with its id, a rule taken away, or a
// hold released at the time in question.
struct RuleDraft {
  std::optional<records::Rule> rule;
  std::uint64_t remove = 0;
  std::uint64_t releaseHold = 0;
  std::chrono::days grace = records::DefaultGrace;  // of the hold that is released
  bool empty() const { return !rule && remove == 0 && releaseHold == 0; }
};

// Where answers about content come from. The scan asks the index as a whole, the gate the one content.
struct ContentTruth {
  std::function<records::Truth(const records::Facts& facts, const std::string& query)> truth =
      [](const records::Facts&, const std::string&) { return records::Truth::Unknown; };
  std::function<std::optional<TimePoint>(std::uint64_t objectId)> since = [](std::uint64_t) {
    return std::optional<TimePoint>();
  };
};

// What the index knows of all objects, read once for a scan. No index: nothing is computable.
ContentTruth indexTruth(const ContentAnswers* answers, std::span<const std::string> queries);
// The same, asked anew for each object: for pages that show a few.
ContentTruth indexTruthOfFew(const ContentAnswers* answers, std::span<const std::string> queries);

// When and how a reference may go. `at` is the latest that it could be: what is not certain waits.
struct Due {
  TimePoint at = records::Never;
  records::Action action = records::Action::Purge;
  bool byPerson = false;  // a person's delete whose window is over comes before the rules
  records::Dates dates;
};

// What is to be done with a reference at a time. Only Due goes.
enum class Standing { NotDue, NeverDue, Held, Unsent, Review, Due };
const char* standingWord(Standing standing);  // "not-due" "never-due" "held" "unsent" "review" "due"

// Why somebody wants it gone: by the rules; or at once, for a person's right to erasure, where nothing retains it.
enum class Claim { Rules, Erasure };

// The rules, holds, events and lists of one snapshot at one time, and what they say about messages. Used alike by
// explanation, what-if, run and gate, so that they cannot differ. Immutable after construction; keeps no reference to
// the tables. Threads: one at a time. Errors: the constructor throws Error(Store).
class Assessment {
public:
  Assessment(SiteTables& tables, TimePoint at, const RuleDraft& draft = {});

  // Queries that rules and holds ask of the content.
  std::vector<std::string> queries() const;
  void answerWith(ContentTruth truth) { truth_ = std::move(truth); }

  TimePoint at() const { return at_; }
  std::span<const records::Rule> rules() const { return rules_.rules(); }
  const std::vector<records::Hold>& holds() const { return holds_; }

  Due due(const ArchivedMessage& message, const Reference& reference, Claim claim = Claim::Rules) const;
  // MayDestroy, but for the clock and the blast limit.
  Standing standing(const ArchivedMessage& message, const Due& due) const;
  records::Disposition explain(const ArchivedMessage& message, const Reference& reference) const;
  bool held(const ArchivedMessage& message) const;
  // Each rule in force whose scope is certainly true for the reference.
  void forEachMatch(const ArchivedMessage& message, const Reference& reference,
                    const std::function<void(const records::Rule&)>& show) const;
  std::vector<std::pair<const records::Hold*, TimePoint>> heldBy(const ArchivedMessage& message) const;
  std::string listAddress(std::uint64_t listId) const;

private:
  struct ListRow {
    std::string address;
    std::string domain;
    std::string sensitivity;
  };
  using FactsOfLists = std::vector<records::Facts::ListFacts>;
  records::Facts::ListFacts listFacts(std::uint64_t listId) const;
  records::Facts facts(const ArchivedMessage& message, const FactsOfLists& lists, bool content) const;
  records::Facts referenceFacts(const ArchivedMessage& message, const Reference& reference, FactsOfLists& lists) const;
  records::Lookups lookups(const records::Facts& facts, const Reference& reference) const;  // keeps both
  template <class Show>
  void forEachHold(const ArchivedMessage& message, Show show) const;

  TimePoint at_;
  records::RuleSet rules_;
  std::vector<records::Hold> holds_;
  std::vector<std::string> holdQueries_;  // by hold; empty: none needed
  std::unordered_map<std::uint64_t, ListRow> lists_;
  std::map<std::pair<std::string, std::pair<std::uint64_t, std::uint64_t>>, TimePoint> events_;
  std::map<std::pair<std::uint64_t, std::uint64_t>, Review> reviews_;  // decided ones
  ContentTruth truth_;
};

}  // namespace postern::listd
