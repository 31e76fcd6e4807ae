#pragma once
#include "core/records/Period.h"
#include "core/records/Predicate.h"

#include <chrono>
#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace postern::records {

enum class Tier { Default, Scoped, Label, Floor };
enum class Effect { Retain, Delete, Both };
// In the order that decides between equal dates: the least destructive first.
enum class Action { Review, Anonymise, Purge, Shred };

const char* tierWord(Tier tier);        // "default" "scoped" "label" "floor"
const char* effectWord(Effect effect);  // "retain" "delete" "both"
const char* actionWord(Action action);  // "review" "anonymise" "purge" "shred"

// One version of a retention rule (retention rules part 2.3).
// Invariants: a floor only retains; only a floor can be locked; there is one default rule in a site at most.
// JSON: {"id","name","tier","effect","period":"7 years","start":"received" or an event's name,"action","scope":{…},
// "enabled","locked"}; name, tier, effect and period must be there. What only deletes has an end.
struct Rule {
  std::uint64_t id = 0;
  std::uint32_t version = 0;
  std::string name;
  Tier tier = Tier::Scoped;
  Effect effect = Effect::Both;
  Period period;
  std::string start = "received";
  Action action = Action::Purge;
  Predicate scope;
  bool enabled = true;
  bool locked = false;
  TimePoint effectiveFrom;

  bool retains() const { return effect != Effect::Delete; }
  bool deletes() const { return effect != Effect::Retain && tier != Tier::Floor; }

  static Result<Rule, std::string> parse(const nlohmann::json& json);  // the error names the field and what is wrong
  nlohmann::json json() const;                                         // without version and effectiveFrom
  std::string sentence() const;  // "Keep mail on clinic@x for 7 years from receipt, then purge it."
};

// Whether replacing `before` (null: a new rule) by `after` (null: the rule goes) could make any DisposeAt earlier,
// judged from the rules alone: false only where that cannot be. What shortens needs a what-if, an approver and seven
// days. An action that leaves less, and an earlier deletion without a review, count as shortening.
constexpr std::chrono::days ShortenWait{7};
bool mayShorten(const Rule* before, const Rule* after);

// A locked floor may only be extended or widened. Nothing when the change is allowed, else why not.
std::optional<std::string> lockForbids(const Rule& before, const Rule* after);

// Of each rule the version that is in force at the time: the newest with effectiveFrom at or before it. Disabled ones
// are among them. Order as in `versions`.
std::vector<Rule> rulesInForce(std::span<const Rule> versions, TimePoint at);

}  // namespace postern::records
