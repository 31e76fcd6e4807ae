// rooms: records
// How long the dates of one message take on a site with ten rules, two of them about content.
#include "core/records/Disposition.h"

#include <chrono>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <string>

int main() {
  using namespace postern;
  using namespace postern::records;
  std::vector<Rule> rules;
  for (std::uint64_t id = 1; id <= 10; ++id) {
    nlohmann::json text = {
        {"name", "rule"}, {"period", std::to_string(id) + " years"}, {"effect", "both"}, {"tier", "scoped"}};
    if (id == 1) text["tier"] = "default";
    if (id == 2) text.update({{"tier", "floor"}, {"effect", "retain"}});
    if (id > 2) text["scope"] = {{"lists", {"other@x.example", "clinic" + std::to_string(id % 4) + "@x.example"}}};
    if (id == 9) text["scope"] = {{"labels", {"clinical"}}, {"minSize", 10}};
    if (id == 10) text["scope"] = {{"from", "2020-01-01"}, {"query", "dialysis"}};
    rules.push_back(*Rule::parse(text));
    rules.back().id = id;
  }
  const RuleSet set(rules);
  const std::vector<Facts::ListFacts> lists = {{"clinic1@x.example", "x.example", "high"}};
  const std::vector<std::string> labels = {"clinical"};
  const Lookups lookups = {[](const Predicate&) { return Truth::True; }, {}};
  Facts facts;
  facts.lists = lists;
  facts.size = 5000;
  facts.labels = labels;
  const TimePoint first = std::chrono::sys_days(std::chrono::year(2020) / 1 / 1);
  constexpr int Messages = 1'000'000;
  std::int64_t sum = 0;
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < Messages; ++i) {
    facts.receivedAt = first + std::chrono::minutes(i);
    sum += toMicros(set.datesOf(facts, lookups).disposeAt) & 1;
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  std::printf("dates of %d messages by 10 rules: %.3f s, %.0f ns each (%lld)\n", Messages, took.count(),
              took.count() * 1e9 / Messages, static_cast<long long>(sum));
}
