#include "listd/subscribe/SubscriptionStore.h"

#include "core/base/Error.h"
#include "listd/site/IdList.h"
#include "listd/subscribe/MemberSourceStore.h"

namespace postern::listd {
namespace {

constexpr std::chrono::hours Day{24};
constexpr std::chrono::hours Hour{1};

std::string requestsWhere(std::string_view rest) {
  std::string sql =
      "SELECT id, list_id, action, address, other, name, state, origin, client, made_at, ends_at, mailed_at, "
      "confirmed, decided_at, decided_by, reason FROM subscription_requests WHERE ";
  return sql.append(rest);
}

SubscriptionRequest readRequest(const store::Statement& row) {
  SubscriptionRequest request;
  request.id = row.unsignedInteger(0);
  request.listId = row.unsignedInteger(1);
  request.action = row.text(2);
  request.address = row.text(3);
  request.other = row.text(4);
  request.name = row.text(5);
  request.state = row.text(6);
  request.origin = row.text(7);
  request.client = row.text(8);
  request.madeAt = row.time(9);
  request.endsAt = row.time(10);
  request.mailedAt = row.time(11);
  request.confirmed = static_cast<std::uint32_t>(row.integer(12));
  request.decidedAt = row.time(13);
  request.decidedBy = row.text(14);
  request.reason = row.text(15);
  return request;
}

Ban readBan(const store::Statement& row) {
  return {row.unsignedInteger(0), row.unsignedInteger(1), row.text(2), row.text(3), row.time(4), row.text(5)};
}

std::vector<std::uint64_t> readIds(store::Statement& select) {
  std::vector<std::uint64_t> ids;
  while (select.step()) ids.push_back(select.unsignedInteger(0));
  return ids;
}

}  // namespace

MemberSourceStore SubscriptionStore::sources() const {
  return MemberSourceStore(database_);
}

SubscriptionSettings SubscriptionStore::settings(std::uint64_t listId, bool secure) const {
  auto select =
      database_.prepare("SELECT joining, leaving, advertised, one_click FROM list_subscription WHERE list_id = ?");
  if (!select.bind(listId).step()) return SubscriptionSettings::of(secure);
  const auto joining = parseJoining(select.view(0));
  const auto leaving = parseLeaving(select.view(1));
  if (!joining || !leaving) throw Error(ErrorKind::Store, "a list has unknown rules for joining or leaving");
  return {*joining, *leaving, select.boolean(2), select.boolean(3)};
}

void SubscriptionStore::set(std::uint64_t listId, const SubscriptionSettings& settings) {
  database_
      .prepare(
          "INSERT INTO list_subscription (list_id, joining, leaving, advertised, one_click) VALUES (?, ?, ?, ?, ?) "
          "ON CONFLICT (list_id) DO UPDATE SET joining = excluded.joining, leaving = excluded.leaving, "
          "advertised = excluded.advertised, one_click = excluded.one_click")
      .bind(listId, joiningWord(settings.joining), leavingWord(settings.leaving), settings.advertised,
            settings.oneClick)
      .run();
}

std::vector<std::uint64_t> SubscriptionStore::advertised() const {
  auto select = database_.prepare("SELECT list_id FROM list_subscription WHERE advertised = 1");
  select.bind();
  return readIds(select);
}

std::uint64_t SubscriptionStore::add(const SubscriptionRequest& request) {
  database_
      .prepare(
          "INSERT INTO subscription_requests (list_id, action, address, other, name, state, origin, client, made_at, "
          "ends_at, mailed_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
      .bind(request.listId, request.action, request.address, request.other, request.name, request.state, request.origin,
            request.client, request.madeAt, request.endsAt, request.mailedAt)
      .run();
  return static_cast<std::uint64_t>(database_.lastInsertId());
}

std::optional<SubscriptionRequest> SubscriptionStore::find(std::uint64_t id) const {
  auto select = database_.prepare(requestsWhere("id = ?"));
  if (!select.bind(id).step()) return std::nullopt;
  return readRequest(select);
}

void SubscriptionStore::update(const SubscriptionRequest& request) {
  database_
      .prepare(
          "UPDATE subscription_requests SET state = ?, confirmed = ?, ends_at = ?, decided_at = ?, decided_by = ?, "
          "reason = ? WHERE id = ?")
      .bind(request.state, request.confirmed, request.endsAt, request.decidedAt, request.decidedBy, request.reason,
            request.id)
      .run();
}

std::optional<SubscriptionRequest> SubscriptionStore::open(std::uint64_t listId, std::string_view action,
                                                           std::string_view address) const {
  auto select = database_.prepare(
      requestsWhere("address = ? AND list_id = ? AND action = ? AND state IN ('asked', 'waiting') ORDER BY id DESC "
                    "LIMIT 1"));
  if (!select.bind(address, listId, action).step()) return std::nullopt;
  return readRequest(select);
}

std::vector<SubscriptionRequest> SubscriptionStore::waiting(const std::vector<std::uint64_t>& lists, bool all,
                                                            std::uint64_t after, std::uint32_t limit) const {
  auto select =
      database_.prepare(requestsWhere("state = 'waiting' AND (?1 OR list_id IN (SELECT value FROM "
                                      "json_each(?2))) AND id > ?3 ORDER BY id LIMIT ?4"));
  select.bind(all, idList(lists), after, limit);
  std::vector<SubscriptionRequest> found;
  while (select.step()) found.push_back(readRequest(select));
  return found;
}

SubscriptionStore::Waiting SubscriptionStore::waitingOf(std::uint64_t listId) const {
  auto select = database_.prepare(
      "SELECT count(*), coalesce(max(made_at), 0) FROM subscription_requests WHERE list_id = ? AND state = 'waiting'");
  select.bind(listId).step();
  return {select.unsignedInteger(0), select.time(1)};
}

std::vector<std::uint64_t> SubscriptionStore::listsWithWaiting() const {
  auto select = database_.prepare("SELECT DISTINCT list_id FROM subscription_requests WHERE state = 'waiting'");
  select.bind();
  return readIds(select);
}

bool SubscriptionStore::mailedSince(std::uint64_t listId, std::string_view address, TimePoint since) const {
  auto select = database_.prepare(
      "SELECT 1 FROM subscription_requests WHERE address = ? AND mailed_at > ? AND list_id = ? LIMIT 1");
  return select.bind(address, since, listId).step();
}

RequestCounts SubscriptionStore::countsFor(const SubscriptionRequest& request, TimePoint now) const {
  const auto count = [](store::Statement& select) {
    select.step();
    return select.unsignedInteger(0);
  };
  RequestCounts counts;
  auto ofAddress = database_.prepare("SELECT count(*) FROM subscription_requests WHERE address = ? AND mailed_at > ?");
  counts.ofAddress = count(ofAddress.bind(request.address, now - Day));
  auto ofClient = database_.prepare("SELECT count(*) FROM subscription_requests WHERE client = ? AND made_at > ?");
  counts.ofClient = count(ofClient.bind(request.client, now - Hour));
  auto ofAll = database_.prepare(
      "SELECT count(*), coalesce(sum(list_id = ?1), 0) FROM subscription_requests WHERE made_at > ?2");
  counts.ofSite = count(ofAll.bind(request.listId, now - Day));
  counts.ofList = ofAll.unsignedInteger(1);
  return counts;
}

std::vector<SubscriptionRequest> SubscriptionStore::expire(TimePoint now, TimePoint keep) {
  auto select =
      database_.prepare(requestsWhere("state IN ('asked', 'waiting') AND ends_at <= ? ORDER BY ends_at LIMIT 1000"));
  select.bind(now);
  std::vector<SubscriptionRequest> ended;
  while (select.step()) ended.push_back(readRequest(select));
  for (auto& request : ended) {
    request.state = "expired";
    update(request);
  }
  database_
      .prepare(
          "DELETE FROM subscription_requests WHERE state NOT IN ('asked', 'waiting') AND made_at < ? AND ends_at < ?")
      .bind(keep, keep)
      .run();
  return ended;
}

void SubscriptionStore::forgetAddress(std::string_view address) {
  database_.prepare("DELETE FROM subscription_requests WHERE address = ?1 OR other = ?1").bind(address).run();
}

std::uint64_t SubscriptionStore::addBan(const Ban& ban) {
  database_
      .prepare(
          "INSERT INTO bans (list_id, pattern, reason, made_at, made_by) VALUES (?, ?, ?, ?, ?) ON CONFLICT (list_id, "
          "pattern) DO NOTHING")
      .bind(ban.listId, ban.pattern, ban.reason, ban.madeAt, ban.madeBy)
      .run();
  return database_.changes() > 0 ? static_cast<std::uint64_t>(database_.lastInsertId()) : 0;
}

std::vector<Ban> SubscriptionStore::bans(std::uint64_t listId) const {
  auto select = database_.prepare(
      "SELECT id, list_id, pattern, reason, made_at, made_by FROM bans WHERE list_id = ? ORDER BY pattern");
  select.bind(listId);
  std::vector<Ban> found;
  while (select.step()) found.push_back(readBan(select));
  return found;
}

std::optional<Ban> SubscriptionStore::findBan(std::uint64_t id) const {
  auto select = database_.prepare("SELECT id, list_id, pattern, reason, made_at, made_by FROM bans WHERE id = ?");
  if (!select.bind(id).step()) return std::nullopt;
  return readBan(select);
}

void SubscriptionStore::removeBan(std::uint64_t id) {
  database_.prepare("DELETE FROM bans WHERE id = ?").bind(id).run();
}

}  // namespace postern::listd
