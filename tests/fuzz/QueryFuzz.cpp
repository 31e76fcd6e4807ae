// rooms: records
// A query that parses becomes a text that parses to the same text, and its answers obey Kleene's laws: the truth of
// the opposite is the negation, and learning what was unknown never turns a certain answer round.
#include "core/records/Query.h"

#include <cstdlib>
#include <functional>

namespace {

using namespace postern::records;

Truth answer(const Query& query, bool knowing) {
  const auto of = [&](std::string_view text) {
    const auto value = std::hash<std::string_view>{}(text) % 4;
    if (value == 0) return Truth::True;
    if (value == 1) return Truth::False;
    return knowing ? (value == 2 ? Truth::True : Truth::False) : Truth::Unknown;
  };
  return query.evaluate([&](const Query::Term& term) { return of(term.words.at(0)); },
                        [&](const Predicate& fact) {
                          return of(std::to_string(fact.minSize.value_or(0) + 3 * fact.maxSize.value_or(0)));
                        });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const auto query = Query::read(input);
  if (!query) {
    if (query.error().text.empty() || query.error().position > std::max<std::size_t>(size, 4000)) std::abort();
    return 0;
  }
  const auto text = query->text();
  const auto again = Query::parse(text);
  if (!again || again->text() != text || again->hasFacts() != query->hasFacts()) std::abort();
  const auto sure = answer(*query, false);
  if (answer(*again, false) != sure) std::abort();
  if (sure != Truth::Unknown && answer(*query, true) != sure) std::abort();
  const auto opposite = Query::parse("-(" + text + ")");
  if (opposite && answer(*opposite, false) != negation(sure)) std::abort();
  return 0;
}
