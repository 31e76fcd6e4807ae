#pragma once
#include "core/records/Predicate.h"
#include "listd/retention/ContentAnswers.h"
#include "listd/site/SiteStore.h"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace postern::listd {

// What a scope matches now.
struct ScopeCount {
  struct Sample {
    std::uint64_t object = 0;
    TimePoint receivedAt;
    std::uint64_t size = 0;
    std::vector<std::string> lists;
  };
  std::uint64_t objects = 0;       // those that cannot be evaluated among them: a hold keeps them
  std::uint64_t notEvaluable = 0;  // … how many of these
  std::optional<TimePoint> oldestAt;
  std::optional<TimePoint> newestAt;
  std::uint64_t growth24h = 0;
  std::vector<Sample> sample;  // the newest
};

// Counts several scopes in one pass over the archive. `answers`: what the search index knows; null: no content
// condition can be evaluated, so that everything which they decide counts.
std::vector<ScopeCount> countScopes(SiteTables& tables, std::span<const records::Predicate> scopes,
                                    const ContentAnswers* answers, TimePoint now, std::size_t sampleSize);

// Whether a hold with this scope keeps what is known of a member: certain only where it names other lists or other
// people.
bool mayCoverMember(const records::Predicate& scope, const List& list, std::string_view address);
// Whether a hold with this scope may keep something of a list.
bool mayCoverList(const records::Predicate& scope, const List& list);

// Clears what is known of former members that no hold in force covers and whose recovery window is over. For the
// retention run. How many rows went.
std::size_t clearFormerMembers(SiteTables& tables, TimePoint now);

}  // namespace postern::listd
