#include "listd/site/ListStore.h"

namespace postern::listd {
namespace {

std::string rowsWhere(std::string_view rest) {
  std::string sql =
      "SELECT id, address, domain, display_name, description, secure, class, state, posting, created_at, certificate, "
      "fingerprint, not_after, deleted_at FROM lists ";
  return sql.append(rest);
}

List readList(const store::Statement& row) {
  List list;
  list.id = row.unsignedInteger(0);
  list.address = row.text(1);
  list.domain = row.text(2);
  list.displayName = row.text(3);
  list.description = row.text(4);
  list.secure = row.boolean(5);
  list.sensitivity = row.text(6);
  list.open = row.view(7) == "open";
  list.anyonePosts = row.view(8) == "anyone";
  list.createdAt = row.time(9);
  list.certificate = row.blob(10);
  list.fingerprint = row.text(11);
  list.certificateEnds = row.time(12);
  list.deletedAt = row.time(13);
  return list;
}

const char* stateOf(const List& list) {
  return list.open ? "open" : "closed";
}
const char* postingOf(const List& list) {
  return list.anyonePosts ? "anyone" : "members";
}

}  // namespace

std::uint64_t ListStore::add(const List& list) {
  database_
      .prepare(
          "INSERT INTO lists (address, domain, display_name, description, secure, class, state, posting, "
          "created_at, certificate, fingerprint, not_after) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
      .bind(list.address, list.domain, list.displayName, list.description, list.secure, list.sensitivity, stateOf(list),
            postingOf(list), list.createdAt, store::Blob{list.certificate}, list.fingerprint, list.certificateEnds)
      .run();
  return static_cast<std::uint64_t>(database_.lastInsertId());
}

std::optional<List> ListStore::find(std::string_view address) const {
  auto select = database_.prepare(rowsWhere("WHERE address = ?"));
  if (!select.bind(address).step()) return std::nullopt;
  return readList(select);
}

std::optional<List> ListStore::find(std::uint64_t id) const {
  auto select = database_.prepare(rowsWhere("WHERE id = ?"));
  if (!select.bind(id).step()) return std::nullopt;
  return readList(select);
}

std::vector<List> ListStore::all() const {
  auto select = database_.prepare(rowsWhere("ORDER BY address"));
  select.bind();
  std::vector<List> lists;
  while (select.step()) lists.push_back(readList(select));
  return lists;
}

std::uint64_t ListStore::count() const {
  auto select = database_.prepare("SELECT count(*) FROM lists");
  select.bind().step();
  return select.unsignedInteger(0);
}

void ListStore::update(const List& list) {
  database_
      .prepare("UPDATE lists SET display_name = ?, description = ?, class = ?, state = ?, posting = ? WHERE id = ?")
      .bind(list.displayName, list.description, list.sensitivity, stateOf(list), postingOf(list), list.id)
      .run();
}

void ListStore::setDeleted(std::uint64_t id, TimePoint at) {
  database_.prepare("UPDATE lists SET deleted_at = ? WHERE id = ?").bind(at, id).run();
}

}  // namespace postern::listd
