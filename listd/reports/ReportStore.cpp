#include "listd/reports/ReportStore.h"

#include <nlohmann/json.hpp>

namespace postern::listd {

std::vector<DeliveryGroup> ReportStore::deliveries(const ReportSpan& span, std::uint64_t offset,
                                                   std::uint64_t limit) const {
  // A copy counts on the day when it was delivered, or else planned.
  auto select = database_.prepare(
      "SELECT at / 86400000000 AS day, list, secure, protection, state, version, cipher, verification, exception, "
      "count(*) FROM (SELECT CASE WHEN l.delivered_at > 0 THEN l.delivered_at ELSE p.planned_at END AS at, "
      "s.address AS list, s.secure AS secure, l.protection AS protection, l.state AS state, "
      "coalesce(a.tls_version, '') AS version, coalesce(a.tls_cipher, '') AS cipher, "
      "coalesce(a.tls_verification, '') AS verification, "
      "CASE WHEN s.secure = 1 AND l.protection = 'none' THEN '1 plaintext on a secure list' "
      "WHEN l.state IN ('failed', 'expired', 'dropped') THEN '2 not delivered' "
      "WHEN l.protection = 'withheld' OR l.state = 'withheld' THEN '3 withheld' "
      "WHEN l.state = 'delivered' AND l.protection = 'none' AND coalesce(a.tls_version, '') = '' "
      "THEN '4 open list, without TLS' ELSE '9' END AS exception "
      "FROM posts p JOIN ledger l ON l.post_id = p.id JOIN lists s ON s.id = p.list_id "
      "LEFT JOIN attempts a ON a.ledger_id = l.id AND a.outcome = 'delivered' WHERE l.kind = 'content') "
      "WHERE at >= ? AND at < ? GROUP BY day, list, secure, protection, state, version, cipher, verification, "
      "exception ORDER BY exception, day DESC, list, protection, state, version, cipher, verification "
      "LIMIT ? OFFSET ?");
  select.bind(span.from, span.until, limit, offset);
  std::vector<DeliveryGroup> groups;
  while (select.step()) {
    const auto exception = select.text(8);
    groups.push_back({select.integer(0), select.text(1), select.boolean(2), select.text(3), select.text(4),
                      select.text(5), select.text(6), select.text(7),
                      exception == "9" ? std::string() : exception.substr(2), select.unsignedInteger(9)});
  }
  return groups;
}

std::uint64_t ReportStore::oldTlsDeliveries() const {
  auto select = database_.prepare(
      "SELECT count(*) FROM attempts WHERE outcome = 'delivered' AND tls_version NOT IN ('', 'TLSv1.2', 'TLSv1.3')");
  select.step();
  return select.unsignedInteger(0);
}

std::vector<Disposal> ReportStore::disposals(const ReportSpan& span, std::uint64_t after, std::uint64_t limit) const {
  auto select = database_.prepare(
      "SELECT object_id FROM dispositions WHERE object_id > ? AND state = 'done' AND destroyed_at >= ? AND "
      "destroyed_at < ? ORDER BY object_id LIMIT ?");
  select.bind(after, span.from, span.until, limit);
  const RetentionStore retention(database_);
  std::vector<Disposal> lines;
  while (select.step())
    if (auto line = retention.disposal(select.unsignedInteger(0))) lines.push_back(std::move(*line));
  return lines;
}

std::vector<ListHoldings> ReportStore::holdings() const {
  auto select = database_.prepare(
      "SELECT l.id, count(r.object_id), coalesce(max(r.object_id), 0) FROM lists l LEFT JOIN object_references r ON "
      "r.list_id = l.id AND r.removed_at = 0 GROUP BY l.id ORDER BY l.address");
  std::vector<ListHoldings> holdings;
  while (select.step())
    holdings.push_back({select.unsignedInteger(0), select.unsignedInteger(1), select.unsignedInteger(2)});
  return holdings;
}

std::uint64_t ReportStore::storedObjects() const {
  auto select = database_.prepare("SELECT count(*) FROM objects WHERE state = 'stored'");
  select.step();
  return select.unsignedInteger(0);
}

std::uint64_t ReportStore::newestStored() const {
  auto select =
      database_.prepare("SELECT id FROM objects WHERE state = 'stored' ORDER BY received_at DESC, id DESC LIMIT 1");
  return select.step() ? select.unsignedInteger(0) : 0;
}

std::vector<AuditRow> ReportStore::entries(const std::vector<std::string>& actions, bool refusedOnly,
                                           const ReportSpan& span, std::uint64_t before, std::uint64_t limit) const {
  auto select = database_.prepare(
      "SELECT seq, entry FROM audit_entries WHERE action IN (SELECT value FROM json_each(?)) AND seq < ? AND at >= ? "
      "AND at < ? AND (? = 0 OR outcome <> 'ok') ORDER BY seq DESC LIMIT ?");
  select.bind(nlohmann::json(actions).dump(), before, span.from, span.until, refusedOnly, limit);
  std::vector<AuditRow> rows;
  while (select.step()) rows.push_back({select.unsignedInteger(0), select.blob(1)});
  return rows;
}

std::vector<ContentAccess> ReportStore::contentAccess(std::uint64_t listId, std::uint64_t before,
                                                      std::uint64_t limit) const {
  auto select = database_.prepare(
      "SELECT seq, entry, objects FROM (SELECT e.seq AS seq, e.entry AS entry, CASE WHEN e.object_type = 'export' "
      "THEN (SELECT count(*) FROM export_objects x JOIN object_references r ON r.object_id = x.object_id AND "
      "r.list_id = ? WHERE x.export_id = CAST(e.object_id AS INTEGER)) "
      "ELSE (SELECT count(*) FROM object_references r WHERE r.object_id = CAST(e.object_id AS INTEGER) AND "
      "r.list_id = ?) END AS objects FROM audit_entries e WHERE e.action IN ('object.read', 'export.create', "
      "'export.read') AND e.object_type IN ('object', 'export') AND e.outcome = 'ok' AND e.seq < ?) "
      "WHERE objects > 0 ORDER BY seq DESC LIMIT ?");
  select.bind(listId, listId, before, limit);
  std::vector<ContentAccess> rows;
  while (select.step()) rows.push_back({select.unsignedInteger(0), select.blob(1), select.unsignedInteger(2)});
  return rows;
}

}  // namespace postern::listd
