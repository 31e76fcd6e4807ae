#include "listd/probe/DueDomains.h"

#include "listd/plan/MemberFacts.h"

#include <algorithm>
#include <map>

namespace postern::listd {
namespace {

using app::Protection;

bool tries(const LadderRules& rules, Protection rung) {
  return std::find(rules.rungs.begin(), rules.rungs.end(), rung) != rules.rungs.end();
}

}  // namespace

std::vector<std::string> dueDomains(const SiteTables& tables, TimePoint before, std::size_t limit) {
  std::map<std::string, TimePoint> found;
  for (const auto& list : tables.lists.all()) {
    if (!list.secure || list.deletedAt != TimePoint()) continue;
    const auto rules = rulesOf(tables, list);
    if (rules.floor > Protection::Tls) continue;  // no wish makes that weaker
    for (auto& [domain, checkedAt] : tables.domainTls.unsealedOf(list.id, !tries(rules, Protection::Tls)))
      if (checkedAt < before) found.emplace(std::move(domain), checkedAt);
  }
  std::vector<std::pair<TimePoint, std::string>> order;
  for (auto& [domain, checkedAt] : found) order.emplace_back(checkedAt, domain);
  const auto count = std::min(limit, order.size());
  std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(count), order.end());
  std::vector<std::string> domains;
  for (std::size_t i = 0; i < count; ++i) domains.push_back(std::move(order[i].second));
  return domains;
}

}  // namespace postern::listd
