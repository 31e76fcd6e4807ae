#include "listd/plan/Replan.h"

#include "listd/plan/MemberFacts.h"

#include <algorithm>

namespace postern::listd {

std::chrono::minutes tlsWithin(const SiteTables& tables, const Post& post) {
  const auto list = tables.lists.find(post.listId);
  return list ? rulesOf(tables, *list).tlsWithin : LadderRules{}.tlsWithin;
}

Decision decideWithoutTls(const SiteTables& tables, const LedgerRow& row, TimePoint now) {
  const Decision nothing{app::Protection::None, Reason::TlsNotVerified, {}};
  const auto post = tables.posts.find(row.postId);
  const auto list = post ? tables.lists.find(post->listId) : std::nullopt;
  if (!list || !list->secure) return nothing;
  const auto member = tables.members.find(list->id, row.recipient);
  if (!post->domainMail && (!member || !member->enabled)) return nothing;
  auto rules = strengthened(rulesOf(tables, *list), post->floor);
  std::erase(rules.rungs, app::Protection::Tls);
  auto wish = post->domainMail ? std::nullopt : member->wish;
  if (wish == app::Protection::Tls) wish.reset();
  auto decision = decideFor(tables, rules, row.recipient, wish, now);
  if (decision.reason == Reason::PickUp) decision.reason = Reason::TlsTooLate;
  return decision;
}

bool planAnew(SiteTables& tables, const LedgerRow& dropped, TimePoint now) {
  const auto decision = decideWithoutTls(tables, dropped, now);
  if (decision.withheld()) return false;
  LedgerRow row;
  row.id = tables.counters.take(CounterStore::Copy);
  row.postId = dropped.postId;
  row.recipient = dropped.recipient;
  row.protection = protectionWord(decision);
  row.reason = reasonWord(decision.reason);
  row.keyFingerprint = decision.keyFingerprint;
  tables.ledger.add(row);
  tables.posts.setState(dropped.postId, PostState::Planned);
  return true;
}

}  // namespace postern::listd
