#include "listd/matters/FormerMemberStore.h"

namespace postern::listd {
namespace {

std::string rowsWhere(std::string_view rest) {
  std::string sql =
      "SELECT id, list_id, address, name, role, joined_at, removed_at, removed_by FROM former_members WHERE ";
  return sql.append(rest);
}

std::vector<FormerMember> readAll(store::Statement& row) {
  std::vector<FormerMember> members;
  while (row.step())
    members.push_back({row.unsignedInteger(0), row.unsignedInteger(1), row.text(2), row.text(3), row.text(4),
                       row.time(5), row.time(6), row.text(7)});
  return members;
}

}  // namespace

void FormerMemberStore::add(const Member& member, TimePoint removedAt, std::string_view removedBy) {
  database_
      .prepare(
          "INSERT INTO former_members (list_id, address, name, role, joined_at, removed_at, removed_by) "
          "VALUES (?, ?, ?, ?, ?, ?, ?)")
      .bind(member.listId, member.address, member.name, member.role, member.joinedAt, removedAt, removedBy)
      .run();
}

std::vector<FormerMember> FormerMemberStore::ofList(std::uint64_t listId) const {
  auto select = database_.prepare(rowsWhere("list_id = ? ORDER BY address, id"));
  select.bind(listId);
  return readAll(select);
}

std::vector<FormerMember> FormerMemberStore::removedBefore(TimePoint before) const {
  auto select = database_.prepare(rowsWhere("removed_at < ? ORDER BY id"));
  select.bind(before);
  return readAll(select);
}

bool FormerMemberStore::anyOfList(std::uint64_t listId) const {
  auto select = database_.prepare("SELECT 1 FROM former_members WHERE list_id = ?");
  return select.bind(listId).step();
}

void FormerMemberStore::clear(std::uint64_t id) {
  database_.prepare("DELETE FROM former_members WHERE id = ?").bind(id).run();
}

}  // namespace postern::listd
