#include "listd/matters/Scopes.h"

#include "core/records/Hold.h"
#include "listd/retention/Assessment.h"

#include <algorithm>
#include <iterator>
#include <unordered_map>

namespace postern::listd {
namespace {

using records::Truth;

constexpr std::chrono::days MemberRecovery{14};

void count(ScopeCount& scope, const ArchivedMessage& message, Truth truth, TimePoint now,
           std::span<const records::Facts::ListFacts> lists, std::size_t sampleSize) {
  const auto at = message.object.receivedAt;
  scope.objects += 1;
  if (truth == Truth::Unknown) scope.notEvaluable += 1;
  scope.oldestAt = std::min(scope.oldestAt.value_or(at), at);
  scope.newestAt = std::max(scope.newestAt.value_or(at), at);
  if (at > now - std::chrono::hours(24)) scope.growth24h += 1;
  if (sampleSize == 0) return;
  if (scope.sample.size() == sampleSize) scope.sample.erase(scope.sample.begin());
  ScopeCount::Sample sample{message.object.id, at, message.object.size, {}};
  for (const auto& list : lists) sample.lists.emplace_back(list.address);
  scope.sample.push_back(std::move(sample));
}

template <class Values>
bool names(const Values& values, std::string_view address) {
  return std::any_of(values.begin(), values.end(), [&](std::string_view value) {
    return value.starts_with('@') ? address.ends_with(value) : value == address;
  });
}

}  // namespace

std::vector<ScopeCount> countScopes(SiteTables& tables, std::span<const records::Predicate> scopes,
                                    const ContentAnswers* answers, TimePoint now, std::size_t sampleSize) {
  std::vector<std::string> queries;
  for (const auto& scope : scopes) queries.push_back(scope.needsContent() ? scope.contentQuery() : std::string());
  std::vector<std::string> asked;
  std::copy_if(queries.begin(), queries.end(), std::back_inserter(asked),
               [](const auto& text) { return !text.empty(); });
  const auto contents = indexTruth(answers, asked);
  std::unordered_map<std::uint64_t, List> known;
  for (auto& list : tables.lists.all()) known.emplace(list.id, std::move(list));
  std::vector<ScopeCount> counts(scopes.size());
  std::vector<records::Facts::ListFacts> lists;
  tables.archive.scan([&](const ArchivedMessage& message) {
    lists.clear();
    for (const auto& reference : message.references)
      if (const auto list = known.find(reference.listId); list != known.end())
        lists.push_back({list->second.address, list->second.domain, list->second.sensitivity});
    records::Facts facts;
    facts.objectId = message.object.id;
    facts.lists = lists;
    facts.receivedAt = message.object.receivedAt;
    facts.headerDate = message.object.headerDate;
    facts.size = message.object.size;
    facts.sensitivity = message.object.sensitivity;
    facts.labels = message.labels;
    facts.evaluableSince = contents.since(message.object.id);
    for (std::size_t i = 0; i < scopes.size(); ++i) {
      const auto content = queries[i].empty() ? Truth::True : contents.truth(facts, queries[i]);
      const auto truth = scopes[i].matches(facts, content);
      if (truth != Truth::False) count(counts[i], message, truth, now, lists, sampleSize);
    }
  });
  return counts;
}

bool mayCoverList(const records::Predicate& scope, const List& list) {
  records::Predicate ofLists;
  ofLists.lists = scope.lists;
  ofLists.listClasses = scope.listClasses;
  ofLists.domains = scope.domains;
  const records::Facts::ListFacts facts{list.address, list.domain, list.sensitivity};
  records::Facts about;
  about.lists = {&facts, 1};
  return ofLists.matchesFacts(about) != Truth::False;
}

bool mayCoverMember(const records::Predicate& scope, const List& list, std::string_view address) {
  if (!mayCoverList(scope, list)) return false;
  const bool namesPeople = !scope.addresses.empty() || !scope.senders.empty() || !scope.recipients.empty();
  return !namesPeople || names(scope.addresses, address) || names(scope.senders, address) ||
         names(scope.recipients, address);
}

std::size_t clearFormerMembers(SiteTables& tables, TimePoint now) {
  const auto holds = tables.holds.allInForce(now);
  std::size_t cleared = 0;
  for (const auto& member : tables.formerMembers.removedBefore(now - MemberRecovery)) {
    const auto list = tables.lists.find(member.listId);
    const bool covered = !list || std::any_of(holds.begin(), holds.end(), [&](const records::Hold& hold) {
      return mayCoverMember(hold.scope, *list, member.address);
    });
    if (covered) continue;
    tables.formerMembers.clear(member.id);
    ++cleared;
  }
  return cleared;
}

}  // namespace postern::listd
