// rooms: records
// Whatever JSON somebody gives as a scope or a rule is refused with a text, or it is taken, says what it means in a
// sentence, and reads back the same from its own JSON. A scope covers itself; a rule changed into itself shortens
// nothing.
#include "core/records/Rule.h"

#include <cstdlib>
#include <nlohmann/json.hpp>

namespace {

using namespace postern::records;

void demand(bool fact) {
  if (!fact) std::abort();
}

void checkScope(const nlohmann::json& json) {
  const auto scope = Predicate::parse(json);
  if (!scope) return demand(!scope.error().empty() && !nlohmann::json(scope.error()).dump().empty());
  const auto text = scope->json().dump();
  const auto again = Predicate::parse(nlohmann::json::parse(text));
  demand(again.has_value() && *again == *scope && again->json().dump() == text);
  demand(scope->covers(*again) && again->covers(*scope));
  demand(scope->needsContent() == !scope->contentQuery().empty());
  demand((*scope == Predicate()) == (scope->sentence() == "every message"));
}

void checkRule(const nlohmann::json& json) {
  const auto rule = Rule::parse(json);
  if (!rule) return demand(!rule.error().empty() && !nlohmann::json(rule.error()).dump().empty());
  const auto text = rule->json().dump();
  const auto again = Rule::parse(nlohmann::json::parse(text));
  demand(again.has_value() && again->json().dump() == text);
  demand(!mayShorten(&*rule, &*again) && !lockForbids(*rule, &*again));
  demand(rule->sentence().ends_with('.'));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  const auto json = nlohmann::json::parse(data, data + size, nullptr, false);
  if (json.is_discarded()) return 0;
  checkScope(json);
  checkRule(json);
  return 0;
}
