#include "listd/matters/HoldNoticeStore.h"

namespace postern::listd {
namespace {

std::string rowsWhere(std::string_view rest) {
  std::string sql =
      "SELECT n.id, n.hold_id, n.matter_id, n.address, n.sent_at, n.reminded_at, n.reminders, n.acknowledged_at "
      "FROM hold_notices n ";
  return sql.append(rest);
}

HoldNotice readNotice(const store::Statement& row) {
  return {row.unsignedInteger(0),
          row.unsignedInteger(1),
          row.unsignedInteger(2),
          row.text(3),
          row.time(4),
          row.time(5),
          static_cast<std::uint32_t>(row.integer(6)),
          row.time(7)};
}

std::vector<HoldNotice> readAll(store::Statement& select) {
  std::vector<HoldNotice> notices;
  while (select.step()) notices.push_back(readNotice(select));
  return notices;
}

}  // namespace

std::uint64_t HoldNoticeStore::add(const HoldNotice& notice) {
  database_.prepare("INSERT OR IGNORE INTO hold_notices (hold_id, matter_id, address, sent_at) VALUES (?, ?, ?, ?)")
      .bind(notice.holdId, notice.matterId, notice.address, notice.sentAt)
      .run();
  return database_.changes() > 0 ? static_cast<std::uint64_t>(database_.lastInsertId()) : 0;
}

std::optional<HoldNotice> HoldNoticeStore::find(std::uint64_t id) const {
  auto select = database_.prepare(rowsWhere("WHERE n.id = ?"));
  if (!select.bind(id).step()) return std::nullopt;
  return readNotice(select);
}

std::vector<HoldNotice> HoldNoticeStore::ofMatter(std::uint64_t matterId) const {
  auto select = database_.prepare(rowsWhere("WHERE n.matter_id = ? ORDER BY n.address, n.id"));
  select.bind(matterId);
  return readAll(select);
}

std::vector<HoldNotice> HoldNoticeStore::toRemind(TimePoint before) const {
  auto select = database_.prepare(
      rowsWhere("JOIN holds h ON h.id = n.hold_id JOIN custodians c ON c.matter_id = n.matter_id AND c.address = "
                "n.address WHERE n.acknowledged_at = 0 AND n.sent_at <= ? AND n.reminded_at <= ? AND h.released_at = 0 "
                "AND c.removed_at = 0 ORDER BY n.id"));
  select.bind(before, before);
  return readAll(select);
}

void HoldNoticeStore::noteReminder(std::uint64_t id, TimePoint at) {
  database_.prepare("UPDATE hold_notices SET reminded_at = ?, reminders = reminders + 1 WHERE id = ?")
      .bind(at, id)
      .run();
}

bool HoldNoticeStore::acknowledge(std::uint64_t id, TimePoint at) {
  database_.prepare("UPDATE hold_notices SET acknowledged_at = ? WHERE id = ? AND acknowledged_at = 0")
      .bind(at, id)
      .run();
  return database_.changes() > 0;
}

}  // namespace postern::listd
