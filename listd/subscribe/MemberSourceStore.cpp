#include "listd/subscribe/MemberSourceStore.h"

namespace postern::listd {
namespace {

std::string rows(std::string_view rest) {
  std::string sql =
      "SELECT list_id, directory, base, filter, mail_attribute, name_attribute, pattern, every_hours, made_at, "
      "made_by, "
      "checked_at, state, outcome FROM member_sources ";
  return sql.append(rest);
}

MemberSource readSource(const store::Statement& row) {
  return {row.unsignedInteger(0),
          row.text(1),
          row.text(2),
          row.text(3),
          row.text(4),
          row.text(5),
          row.text(6),
          static_cast<std::uint32_t>(row.integer(7)),
          row.time(8),
          row.text(9),
          row.time(10),
          row.text(11),
          row.text(12)};
}

std::vector<std::string> addressesOf(store::Statement& select) {
  std::vector<std::string> addresses;
  while (select.step()) addresses.push_back(select.text(0));
  return addresses;
}

}  // namespace

void MemberSourceStore::set(const MemberSource& source) {
  database_
      .prepare(
          "INSERT OR REPLACE INTO member_sources (list_id, directory, base, filter, mail_attribute, name_attribute, "
          "pattern, every_hours, made_at, made_by) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
      .bind(source.listId, source.directory, source.base, source.filter, source.mailAttribute, source.nameAttribute,
            source.pattern, source.everyHours, source.madeAt, source.madeBy)
      .run();
}

std::optional<MemberSource> MemberSourceStore::find(std::uint64_t listId) const {
  auto select = database_.prepare(rows("WHERE list_id = ?"));
  if (!select.bind(listId).step()) return std::nullopt;
  return readSource(select);
}

std::vector<MemberSource> MemberSourceStore::all() const {
  auto select = database_.prepare(rows("ORDER BY list_id"));
  select.bind();
  std::vector<MemberSource> sources;
  while (select.step()) sources.push_back(readSource(select));
  return sources;
}

bool MemberSourceStore::remove(std::uint64_t listId) {
  database_.prepare("DELETE FROM member_sources WHERE list_id = ?").bind(listId).run();
  return database_.changes() > 0;
}

void MemberSourceStore::noteRun(std::uint64_t listId, TimePoint at, std::string_view state, std::string_view outcome) {
  database_.prepare("UPDATE member_sources SET checked_at = ?, state = ?, outcome = ? WHERE list_id = ?")
      .bind(at, state, outcome, listId)
      .run();
}

void MemberSourceStore::noteBrought(std::uint64_t listId, std::string_view address) {
  database_.prepare("INSERT OR IGNORE INTO brought_members (list_id, address) VALUES (?, ?)")
      .bind(listId, address)
      .run();
}

std::vector<std::string> MemberSourceStore::broughtTo(std::uint64_t listId) const {
  auto select = database_.prepare("SELECT address FROM brought_members WHERE list_id = ?");
  return addressesOf(select.bind(listId));
}

void MemberSourceStore::noteDeparture(std::uint64_t listId, std::string_view address, TimePoint at) {
  database_.prepare("DELETE FROM brought_members WHERE list_id = ? AND address = ?").bind(listId, address).run();
  if (database_.changes() == 0) return;
  database_.prepare("INSERT OR REPLACE INTO departures (list_id, address, left_at) VALUES (?, ?, ?)")
      .bind(listId, address, at)
      .run();
}

void MemberSourceStore::forget(std::uint64_t listId, std::string_view address) {
  for (const auto* statement : {"DELETE FROM departures WHERE list_id = ? AND address = ?",
                                "DELETE FROM brought_members WHERE list_id = ? AND address = ?"})
    database_.prepare(statement).bind(listId, address).run();
}

void MemberSourceStore::forgetEverywhere(std::string_view address) {
  for (const auto* statement :
       {"DELETE FROM departures WHERE address = ?", "DELETE FROM brought_members WHERE address = ?"})
    database_.prepare(statement).bind(address).run();
}

std::vector<std::string> MemberSourceStore::departedFrom(std::uint64_t listId) const {
  auto select = database_.prepare("SELECT address FROM departures WHERE list_id = ?");
  return addressesOf(select.bind(listId));
}

}  // namespace postern::listd
