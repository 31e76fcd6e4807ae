#include "listd/reports/ReportStore.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <tuple>
#include <unordered_map>

namespace postern::listd {

// What is not as it should be, with the worst first by its number.
static std::string exceptionOf(const DeliveryGroup& group) {
  if (group.secure && group.protection == "none") return "1 plaintext on a secure list";
  if (group.state == "failed" || group.state == "expired" || group.state == "dropped") return "2 not delivered";
  if (group.protection == "withheld" || group.state == "withheld") return "3 withheld";
  if (group.state == "delivered" && group.protection == "none" && group.tlsVersion.empty())
    return "4 open list, without TLS";
  return "9";
}

// Copies are counted here and not by GROUP BY, which would sort every one of them: a million take seconds, not a
// third of a minute.
std::vector<DeliveryGroup> ReportStore::deliveries(const ReportSpan& span) const {
  constexpr std::int64_t Day = 86'400'000'000;
  // A copy counts on the day when its post came, so that a span of time is read by the index of posts.
  auto select = database_.prepare(
      "SELECT p.received_at, s.address, s.secure, "
      "l.protection, l.state, coalesce(a.tls_version, ''), coalesce(a.tls_cipher, ''), "
      "coalesce(a.tls_verification, '') FROM posts p JOIN ledger l ON l.post_id = p.id JOIN lists s ON s.id = "
      "p.list_id LEFT JOIN attempts a ON a.ledger_id = l.id AND a.outcome = 'delivered' WHERE l.kind = 'content' AND "
      "p.received_at BETWEEN ? AND ?");
  select.bind(span.from, toMicros(span.until) - 1);
  std::unordered_map<std::string, DeliveryGroup> groups;
  std::string key;
  while (select.step()) {
    const auto day = select.integer(0) / Day;
    key = std::to_string(day);
    for (const int column : {1, 3, 4, 5, 6, 7}) key.append(1, '\n').append(select.view(column));
    auto& group = groups[key];
    if (group.copies++ > 0) continue;
    group.day = day;
    group.list = select.text(1);
    group.secure = select.boolean(2);
    group.protection = select.text(3);
    group.state = select.text(4);
    group.tlsVersion = select.text(5);
    group.tlsCipher = select.text(6);
    group.tlsVerification = select.text(7);
    group.exception = exceptionOf(group);
  }
  std::vector<std::pair<std::tuple<std::string, std::int64_t, std::string>, DeliveryGroup>> sorted;
  sorted.reserve(groups.size());
  for (auto& [name, group] : groups) sorted.push_back({{group.exception, -group.day, name}, std::move(group)});
  std::sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<DeliveryGroup> all;
  all.reserve(sorted.size());
  for (auto& [place, group] : sorted) {
    group.exception = group.exception == "9" ? std::string() : group.exception.substr(2);
    all.push_back(std::move(group));
  }
  return all;
}

std::vector<PostPlace> ReportStore::postsBetween(const PostPlace& from, TimePoint until, std::uint64_t listId,
                                                 std::uint32_t limit) const {
  auto select = database_.prepare(
      "SELECT received_at, id, list_id FROM posts WHERE (received_at, id) >= (?, ?) AND received_at < ? AND (? = 0 OR "
      "list_id = ?) ORDER BY received_at, id LIMIT ?");
  select.bind(from.receivedAt, from.id, until, listId, listId, limit);
  std::vector<PostPlace> places;
  while (select.step()) places.push_back({select.time(0), select.unsignedInteger(1), select.unsignedInteger(2)});
  return places;
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
      "SELECT l.id, coalesce(k.kept, 0), coalesce((SELECT r.object_id FROM object_references r WHERE r.list_id = l.id "
      "AND r.removed_at = 0 ORDER BY r.object_id DESC LIMIT 1), 0) FROM lists l LEFT JOIN list_totals k ON k.list_id = "
      "l.id ORDER BY l.address");
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
