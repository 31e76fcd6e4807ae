#include "listd/probe/DueDomains.h"

#include "listd/plan/MemberFacts.h"

#include <algorithm>
#include <map>
#include <set>

namespace postern::listd {
namespace {

using app::Protection;

bool tries(const LadderRules& rules, Protection rung) {
  return std::find(rules.rungs.begin(), rules.rungs.end(), rung) != rules.rungs.end();
}

constexpr std::uint32_t NewestPosts = 200, RowsOfPost = 1000;  // of each list that protects domain mail

// To whom the newest domain mail of a list went unsealed, each domain once.
std::set<std::string> outsideOf(const SiteTables& tables, const List& list) {
  std::set<std::string> domains;
  for (const auto& post : tables.posts.page(list.id, 0, NewestPosts)) {
    if (!post.domainMail) continue;
    for (const auto& row : tables.ledger.page(post.id, 0, RowsOfPost)) {
      const bool sealed = row.protection == "smime" || row.protection == "openpgp";
      if (row.kind == app::Copy::Kind::Content && !sealed)
        domains.insert(row.recipient.substr(row.recipient.rfind('@') + 1));
    }
  }
  return domains;
}

// People elsewhere are in no list of members. Their domains are asked for as long as domain mail goes to them.
void addOutside(std::map<std::string, TimePoint>& found, const SiteTables& tables, TimePoint before) {
  std::set<std::uint64_t> seen;
  for (const auto& relay : tables.relays.all()) {
    const auto list = seen.insert(relay.listId).second ? tables.lists.find(relay.list) : std::nullopt;
    if (!list || !list->secure) continue;
    const auto rules = rulesOf(tables, *list);
    if (rules.floor > Protection::Tls || !tries(rules, Protection::Tls)) continue;
    for (const auto& domain : outsideOf(tables, *list)) {
      const auto mark = tables.domainTls.mark(domain);
      const auto known = tables.domainTls.find(domain);
      const auto checkedAt = known ? known->checkedAt : TimePoint();
      if (checkedAt < before && !(mark && mark->mark == DomainMark::Mark::Distrusted)) found.emplace(domain, checkedAt);
    }
  }
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
  addOutside(found, tables, before);
  std::vector<std::pair<TimePoint, std::string>> order;
  for (auto& [domain, checkedAt] : found) order.emplace_back(checkedAt, domain);
  const auto count = std::min(limit, order.size());
  std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(count), order.end());
  std::vector<std::string> domains;
  for (std::size_t i = 0; i < count; ++i) domains.push_back(std::move(order[i].second));
  return domains;
}

}  // namespace postern::listd
