#include "listd/backup/BackupStore.h"

namespace postern::listd {

namespace {

BackupRow rowAt(const store::Statement& select) {
  BackupRow row;
  row.id = select.unsignedInteger(0);
  row.outcome = select.text(1);
  row.at = select.time(2);
  row.repository = select.text(3);
  row.content = select.text(4);
  row.keys = select.text(5);
  row.objects = select.unsignedInteger(6);
  row.bytes = select.unsignedInteger(7);
  row.message = select.text(8);
  return row;
}

}  // namespace

std::uint64_t BackupStore::add(const BackupRow& row) {
  database_
      .prepare(
          "INSERT INTO backups (outcome, at, repository, content, keys, objects, bytes, message) "
          "VALUES (?, ?, ?, ?, ?, ?, ?, ?)")
      .bind(row.outcome, row.at, row.repository, row.content, row.keys, row.objects, row.bytes, row.message)
      .run();
  return static_cast<std::uint64_t>(database_.lastInsertId());
}

std::optional<BackupRow> BackupStore::newest(std::string_view outcome) const {
  auto select = database_.prepare(
      "SELECT id, outcome, at, repository, content, keys, objects, bytes, message FROM backups "
      "WHERE outcome = ? ORDER BY at DESC, id DESC LIMIT 1");
  if (!select.bind(outcome).step()) return std::nullopt;
  return rowAt(select);
}

void storedObjectsOf(const std::filesystem::path& siteCopy, const std::function<void(std::uint64_t id)>& show) {
  auto copy = store::Database::openReader(siteCopy);
  auto stored = copy.prepare("SELECT id FROM objects WHERE state = 'stored'");
  for (stored.bind(); stored.step();) show(stored.unsignedInteger(0));
}

std::vector<BackupRow> BackupStore::list(std::uint32_t limit) const {
  std::vector<BackupRow> rows;
  auto select = database_.prepare(
      "SELECT id, outcome, at, repository, content, keys, objects, bytes, message FROM backups "
      "ORDER BY id DESC LIMIT ?");
  select.bind(limit);
  while (select.step()) rows.push_back(rowAt(select));
  return rows;
}

}  // namespace postern::listd
