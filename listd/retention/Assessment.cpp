#include "listd/retention/Assessment.h"

#include "core/base/Error.h"
#include "listd/retention/HoldsInForce.h"
#include "listd/retention/Questions.h"

#include <algorithm>
#include <memory>
#include <set>

namespace postern::listd {

using records::Truth;

namespace {

std::vector<records::Rule> withDraft(std::vector<records::Rule> rules, const RuleDraft& draft) {
  if (draft.empty()) return rules;
  const auto replaced = draft.rule ? draft.rule->id : draft.remove;
  std::erase_if(rules, [&](const auto& rule) { return rule.id == replaced && replaced != 0; });
  if (draft.rule) rules.push_back(*draft.rule);
  return rules;
}

}  // namespace

const char* standingWord(Standing standing) {
  constexpr const char* Words[] = {"not-due", "never-due", "held", "unsent", "review", "due"};
  return Words[static_cast<std::size_t>(standing)];
}

ContentTruth indexTruth(const ContentAnswers* answers, std::span<const std::string> queries) {
  if (answers == nullptr || queries.empty()) return {};
  const auto questions = std::make_shared<const Questions>(queries);
  const auto evaluable = std::make_shared<const std::vector<SearchIndex::Evaluable>>(answers->allEvaluable());
  const auto found = std::make_shared<std::vector<std::vector<std::uint64_t>>>();
  for (const auto& part : questions->parts()) found->push_back(answers->find(part));
  ContentTruth truth;
  truth.since = [evaluable](std::uint64_t objectId) -> std::optional<TimePoint> {
    const auto at = std::lower_bound(evaluable->begin(), evaluable->end(), objectId,
                                     [](const auto& one, std::uint64_t id) { return one.objectId < id; });
    if (at == evaluable->end() || at->objectId != objectId) return std::nullopt;
    return at->since;
  };
  truth.truth = [questions, found, since = truth.since](const records::Facts& facts, const std::string& query) {
    if (!since(facts.objectId)) return Truth::Unknown;
    return questions->answer(query, facts, [&](std::size_t part) {
      const auto& objects = (*found)[part];
      return std::binary_search(objects.begin(), objects.end(), facts.objectId) ? Truth::True : Truth::False;
    });
  };
  return truth;
}

ContentTruth indexTruthOfFew(const ContentAnswers* answers, std::span<const std::string> queries) {
  if (answers == nullptr || queries.empty()) return {};
  const auto questions = std::make_shared<const Questions>(queries);
  ContentTruth truth;
  truth.since = [answers](std::uint64_t objectId) { return answers->evaluableSince(objectId); };
  truth.truth = [answers, questions](const records::Facts& facts, const std::string& query) {
    if (!answers->evaluableSince(facts.objectId)) return Truth::Unknown;
    return questions->answer(query, facts, [&](std::size_t part) {
      return answers->finds(questions->parts()[part], facts.objectId) ? Truth::True : Truth::False;
    });
  };
  return truth;
}

Assessment::Assessment(SiteTables& tables, TimePoint at, const RuleDraft& draft)
    : at_(at), rules_(withDraft(tables.rules.inForce(at), draft)), holds_(holdsInForce(tables, at)) {
  for (auto& hold : holds_) {
    if (draft.releaseHold == 0 || hold.id != draft.releaseHold || hold.releasedAt) continue;
    hold.releasedAt = at;
    hold.grace = draft.grace;
  }
  for (const auto& hold : holds_) holdQueries_.push_back(hold.scope.needsContent() ? hold.scope.contentQuery() : "");
  for (auto& list : tables.lists.all())
    lists_[list.id] = {std::move(list.address), std::move(list.domain), std::move(list.sensitivity)};
  for (const auto& event : tables.rules.events()) events_[{event.event, {event.listId, event.objectId}}] = event.at;
  for (const auto& review : tables.retention.decided()) reviews_[{review.objectId, review.listId}] = review;
}

std::vector<std::string> Assessment::queries() const {
  std::set<std::string> queries;
  for (const auto& rule : rules_.rules())
    if (rule.scope.needsContent()) queries.insert(rule.scope.contentQuery());
  for (const auto& query : holdQueries_)
    if (!query.empty()) queries.insert(query);
  return {queries.begin(), queries.end()};
}

records::Facts::ListFacts Assessment::listFacts(std::uint64_t listId) const {
  const auto found = lists_.find(listId);
  if (found == lists_.end()) throw Error(ErrorKind::Store, "site.db: there is no list " + std::to_string(listId));
  return {found->second.address, found->second.domain, found->second.sensitivity};
}

std::string Assessment::listAddress(std::uint64_t listId) const {
  return std::string(listFacts(listId).address);
}

records::Facts Assessment::facts(const ArchivedMessage& message, const FactsOfLists& lists, bool content) const {
  records::Facts facts;
  facts.objectId = message.object.id;
  facts.lists = lists;
  facts.receivedAt = message.object.receivedAt;
  facts.headerDate = message.object.headerDate;
  facts.size = message.object.size;
  facts.sensitivity = message.object.sensitivity;
  facts.labels = message.labels;
  if (content) facts.evaluableSince = truth_.since(message.object.id);
  return facts;
}

records::Facts Assessment::referenceFacts(const ArchivedMessage& message, const Reference& reference,
                                          FactsOfLists& lists) const {
  lists.assign(1, listFacts(reference.listId));
  return facts(message, lists, rules_.needsContent());
}

records::Lookups Assessment::lookups(const records::Facts& facts, const Reference& reference) const {
  records::Lookups lookups;
  lookups.content = [this, &facts](const records::Predicate& predicate) {
    return truth_.truth(facts, predicate.contentQuery());
  };
  lookups.event = [this, id = facts.objectId, list = reference.listId](std::string_view event) {
    std::optional<TimePoint> first;
    for (const auto& subject : {std::pair(std::uint64_t{0}, id), std::pair(list, std::uint64_t{0})}) {
      const auto found = events_.find({std::string(event), subject});
      // What happens after the time in question has not happened yet.
      if (found != events_.end() && found->second <= at_ && (!first || found->second > *first)) first = found->second;
    }
    return first;
  };
  return lookups;
}

Due Assessment::due(const ArchivedMessage& message, const Reference& reference, Claim claim) const {
  FactsOfLists lists;
  const auto facts = referenceFacts(message, reference, lists);
  Due due;
  due.dates = rules_.datesOf(facts, lookups(facts, reference));
  due.at = due.dates.latestAt;
  due.action = due.dates.action;
  if ((reference.hiddenAt || claim == Claim::Erasure) && due.dates.retainUntil != records::Never) {
    const auto earliest = claim == Claim::Erasure ? message.object.receivedAt : *reference.hiddenAt + RecoveryWindow;
    if (const auto over = std::max<TimePoint>(due.dates.retainUntil, earliest); over < due.at) {
      due.at = over;
      due.action = records::Action::Purge;
      due.byPerson = true;
    }
  }
  if (reviews_.empty()) return due;
  if (const auto review = reviews_.find({message.object.id, reference.listId}); review != reviews_.end()) {
    if (review->second.state == "kept" && due.at != records::Never)
      due.at = std::max(due.at, review->second.until);
    else if (review->second.state == "destroy" && due.action == records::Action::Review)
      due.action = records::Action::Purge;
  }
  return due;
}

Standing Assessment::standing(const ArchivedMessage& message, const Due& due) const {
  if (due.at == records::Never) return Standing::NeverDue;
  if (at_ < due.at) return Standing::NotDue;
  if (held(message)) return Standing::Held;
  if (message.unsent) return Standing::Unsent;
  return due.action == records::Action::Review ? Standing::Review : Standing::Due;
}

records::Disposition Assessment::explain(const ArchivedMessage& message, const Reference& reference) const {
  FactsOfLists lists;
  const auto facts = referenceFacts(message, reference, lists);
  return records::dispositionOf(rules_.rules(), facts, lookups(facts, reference));
}

template <class Show>
void Assessment::forEachHold(const ArchivedMessage& message, Show show) const {
  if (holds_.empty()) return;
  FactsOfLists lists;
  for (const auto& reference : message.references) lists.push_back(listFacts(reference.listId));
  const auto plain = facts(message, lists, false);
  for (std::size_t i = 0; i < holds_.size(); ++i) {
    const auto& query = holdQueries_[i];
    const auto about = query.empty() ? plain : facts(message, lists, true);
    if (!show(holds_[i], about, query.empty() ? Truth::True : truth_.truth(about, query))) return;
  }
}

bool Assessment::held(const ArchivedMessage& message) const {
  bool held = false;
  forEachHold(message, [&](const records::Hold& hold, const records::Facts& facts, Truth content) {
    held = records::holds(hold, facts, content, at_);
    return !held;
  });
  return held;
}

void Assessment::forEachMatch(const ArchivedMessage& message, const Reference& reference,
                              const std::function<void(const records::Rule&)>& show) const {
  FactsOfLists lists;
  const auto known = referenceFacts(message, reference, lists);
  for (const auto& rule : rules_.rules()) {
    const auto content = rule.scope.needsContent() ? truth_.truth(known, rule.scope.contentQuery()) : Truth::True;
    if (rule.scope.matches(known, content) == Truth::True) show(rule);
  }
}

std::vector<std::pair<const records::Hold*, TimePoint>> Assessment::heldBy(const ArchivedMessage& message) const {
  std::vector<std::pair<const records::Hold*, TimePoint>> found;
  forEachHold(message, [&](const records::Hold& hold, const records::Facts& facts, Truth content) {
    if (records::holds(hold, facts, content, at_)) found.emplace_back(&hold, records::heldUntil(hold, facts, content));
    return true;
  });
  return found;
}

}  // namespace postern::listd
