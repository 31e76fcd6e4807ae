#include "listd/matters/HoldStore.h"

#include "core/base/Error.h"

#include <nlohmann/json.hpp>

namespace postern::listd {
namespace {

constexpr std::int64_t MicrosOfDay = std::int64_t{86'400} * 1'000'000;

std::string rowsWhere(std::string_view rest) {
  std::string sql =
      "SELECT id, matter_id, name, scope, silent, notice, placed_at, placed_by, released_at, released_by, "
      "release_reason, grace_days FROM holds WHERE ";
  return sql.append(rest);
}

records::Predicate readScope(const store::Statement& row) {
  const auto json = nlohmann::json::parse(row.view(3), nullptr, false);
  auto scope = json.is_discarded() ? Result<records::Predicate, std::string>(Unexpected(std::string("not JSON")))
                                   : records::Predicate::parse(json);
  if (!scope)
    throw Error(ErrorKind::Store, "the scope of hold " + row.text(0) + " in site.db cannot be read: " + scope.error());
  return std::move(*scope);
}

HoldRow readHold(const store::Statement& row) {
  HoldRow held;
  held.hold.id = row.unsignedInteger(0);
  held.hold.matterId = row.unsignedInteger(1);
  held.hold.name = row.text(2);
  held.hold.scope = readScope(row);
  held.hold.silent = row.boolean(4);
  held.notice = row.text(5);
  held.hold.placedAt = row.time(6);
  held.placedBy = row.text(7);
  if (row.integer(8) != 0) held.hold.releasedAt = row.time(8);
  held.releasedBy = row.text(9);
  held.releaseReason = row.text(10);
  held.hold.grace = std::chrono::days(row.integer(11));
  return held;
}

std::vector<HoldRow> readAll(store::Statement& select) {
  std::vector<HoldRow> rows;
  while (select.step()) rows.push_back(readHold(select));
  return rows;
}

}  // namespace

std::vector<records::Hold> HoldStore::allInForce(TimePoint at) const {
  auto select = database_.prepare(rowsWhere("released_at = 0 OR released_at + grace_days * ? > ? ORDER BY id"));
  select.bind(MicrosOfDay, at);
  std::vector<records::Hold> holds;
  while (select.step()) holds.push_back(readHold(select).hold);
  return holds;
}

std::optional<HoldRow> HoldStore::find(std::uint64_t id) const {
  auto select = database_.prepare(rowsWhere("id = ?"));
  if (!select.bind(id).step()) return std::nullopt;
  return readHold(select);
}

std::vector<HoldRow> HoldStore::forMatter(std::uint64_t matterId) const {
  auto select = database_.prepare(rowsWhere("matter_id = ? ORDER BY id"));
  select.bind(matterId);
  return readAll(select);
}

std::vector<HoldRow> HoldStore::all() const {
  auto select = database_.prepare(rowsWhere("1 ORDER BY id DESC"));
  select.bind();
  return readAll(select);
}

bool HoldStore::anyOpen(std::uint64_t matterId) const {
  auto select = database_.prepare("SELECT 1 FROM holds WHERE matter_id = ? AND released_at = 0");
  return select.bind(matterId).step();
}

std::uint64_t HoldStore::add(const HoldRow& row) {
  std::optional<std::uint64_t> id;
  if (row.hold.id != 0) id = row.hold.id;
  database_
      .prepare(
          "INSERT INTO holds (id, matter_id, name, scope, silent, notice, placed_at, placed_by, grace_days) "
          "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)")
      .bind(id, row.hold.matterId, row.hold.name, row.hold.scope.json().dump(), row.hold.silent, row.notice,
            row.hold.placedAt, row.placedBy, row.hold.grace.count())
      .run();
  return static_cast<std::uint64_t>(database_.lastInsertId());
}

void HoldStore::release(std::uint64_t id, TimePoint at, std::chrono::days grace, std::string_view person,
                        std::string_view reason) {
  database_
      .prepare(
          "UPDATE holds SET released_at = ?, grace_days = ?, released_by = ?, release_reason = ? WHERE id = ? AND "
          "released_at = 0")
      .bind(at, grace.count(), person, reason, id)
      .run();
  if (database_.changes() == 0)
    throw Error(ErrorKind::Invariant, "hold " + std::to_string(id) + " is not there or is released already");
}

std::vector<HoldRow> HoldStore::releasesToJournal() const {
  auto select = database_.prepare(rowsWhere("released_at <> 0 AND release_journalled = 0 ORDER BY id"));
  select.bind();
  return readAll(select);
}

void HoldStore::setJournalled(std::uint64_t id) {
  database_.prepare("UPDATE holds SET release_journalled = 1 WHERE id = ?").bind(id).run();
}

}  // namespace postern::listd
