#include "gateway/policy/Differences.h"

#include "gateway/policy/PolicyViews.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace postern::gateway {

using nlohmann::json;

namespace {

std::string wordsAt(const policy::MessageOutcome& outcome, std::size_t recipient, const policy::SetTexts& texts) {
  if (!outcome) {
    const auto& policy = outcome.error().policy;
    return "failure " + policy::wordFor(outcome.error().kind) + (policy.empty() ? "" : " (" + policy + ")");
  }
  return recipient < outcome->recipients.size() ? inWords(outcome->recipients[recipient], texts) : std::string("pass");
}

}  // namespace

std::vector<std::pair<std::string, std::string>> Differences::between(const policy::MessageOutcome& now,
                                                                      const policy::MessageOutcome& then) const {
  std::vector<std::pair<std::string, std::string>> pairs;
  const auto count = std::max({now ? now->recipients.size() : 1, then ? then->recipients.size() : 1});
  for (std::size_t i = 0; i < count; ++i) {
    auto before = wordsAt(now, i, nowTexts_);
    auto after = wordsAt(then, i, thenTexts_);
    if (before != after) pairs.emplace_back(std::move(before), std::move(after));
  }
  return pairs;
}

void Differences::add(const std::string& hook, const policy::MessageOutcome& now, const policy::MessageOutcome& then,
                      const std::string& trace) {
  ++compared_;
  if (!then) ++failed_;
  const auto pairs = between(now, then);
  if (pairs.empty()) return;
  ++different_;
  std::vector<Kind*> seen;
  for (const auto& [before, after] : pairs) {
    auto key = std::tuple(hook, before, after);
    // Words are of the policies' making, so their number has a limit.
    if (kinds_.size() >= MaxKinds && !kinds_.contains(key)) key = std::tuple(hook, "other", "other");
    auto& kind = kinds_[key];
    ++kind.recipients;
    if (std::find(seen.begin(), seen.end(), &kind) != seen.end()) continue;
    seen.push_back(&kind);
    ++kind.messages;
    if (!trace.empty() && kind.examples.size() < MaxExamples) kind.examples.push_back(trace);
  }
}

json Differences::view() const {
  auto kinds = json::array();
  for (const auto& [key, kind] : kinds_)
    kinds.push_back({{"hook", std::get<0>(key)},
                     {"now", std::get<1>(key)},
                     {"then", std::get<2>(key)},
                     {"messages", kind.messages},
                     {"recipients", kind.recipients},
                     {"examples", kind.examples}});
  return {{"compared", compared_}, {"different", different_}, {"failed", failed_}, {"kinds", std::move(kinds)}};
}

}  // namespace postern::gateway
