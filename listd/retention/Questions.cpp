#include "listd/retention/Questions.h"

namespace postern::listd {

using records::Query;
using records::Truth;

Questions::Questions(std::span<const std::string> queries) {
  for (const auto& text : queries) {
    auto query = Query::parse(text);
    if (!query || asked_.contains(text)) continue;
    Asked asked;
    if (query->hasFacts()) {
      for (auto& term : query->terms()) {
        asked.terms.emplace(term.text(), parts_.size());
        parts_.push_back(std::move(term));
      }
      asked.withFacts = std::move(*query);
    } else {
      asked.part = parts_.size();
      parts_.push_back(std::move(*query));
    }
    asked_.emplace(text, std::move(asked));
  }
}

Truth Questions::answer(const std::string& query, const records::Facts& facts,
                        const std::function<Truth(std::size_t)>& part) const {
  const auto found = asked_.find(query);
  if (found == asked_.end()) return Truth::Unknown;
  const auto& asked = found->second;
  if (!asked.withFacts) return part(asked.part);
  return asked.withFacts->evaluate(
      [&](const Query::Term& term) {
        const auto number = asked.terms.find(Query::textOf(term));
        return number == asked.terms.end() ? Truth::Unknown : part(number->second);
      },
      [&](const records::Predicate& fact) { return fact.agreedMatch(facts); });
}

}  // namespace postern::listd
