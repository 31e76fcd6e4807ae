#include "listd/matters/MatterStore.h"

namespace postern::listd {
namespace {

std::string rowsWhere(std::string_view rest) {
  std::string sql = "SELECT id, name, description, state, created_at, created_by, closed_at FROM matters WHERE ";
  return sql.append(rest);
}

Matter readMatter(const store::Statement& row) {
  return {
      row.unsignedInteger(0), row.text(1), row.text(2), row.view(3) == "open", row.time(4), row.text(5), row.time(6)};
}

}  // namespace

std::uint64_t MatterStore::add(const Matter& matter) {
  std::optional<std::uint64_t> id;
  if (matter.id != 0) id = matter.id;
  database_
      .prepare(
          "INSERT INTO matters (id, name, description, state, created_at, created_by, closed_at) "
          "VALUES (?, ?, ?, ?, ?, ?, ?)")
      .bind(id, matter.name, matter.description, matter.open ? "open" : "closed", matter.createdAt, matter.createdBy,
            matter.closedAt)
      .run();
  return static_cast<std::uint64_t>(database_.lastInsertId());
}

std::optional<Matter> MatterStore::find(std::uint64_t id) const {
  auto select = database_.prepare(rowsWhere("id = ?"));
  if (!select.bind(id).step()) return std::nullopt;
  return readMatter(select);
}

std::vector<Matter> MatterStore::all() const {
  auto select = database_.prepare(rowsWhere("1 ORDER BY id DESC"));
  select.bind();
  std::vector<Matter> matters;
  while (select.step()) matters.push_back(readMatter(select));
  return matters;
}

void MatterStore::update(const Matter& matter) {
  database_.prepare("UPDATE matters SET name = ?, description = ?, state = ?, closed_at = ? WHERE id = ?")
      .bind(matter.name, matter.description, matter.open ? "open" : "closed", matter.closedAt, matter.id)
      .run();
}

bool MatterStore::addCustodian(const Custodian& custodian) {
  database_
      .prepare(
          "INSERT INTO custodians (matter_id, address, name, added_at) VALUES (?, ?, ?, ?) ON CONFLICT (matter_id, "
          "address) DO UPDATE SET name = excluded.name, added_at = excluded.added_at, removed_at = 0 WHERE "
          "custodians.removed_at <> 0")
      .bind(custodian.matterId, custodian.address, custodian.name, custodian.addedAt)
      .run();
  return database_.changes() > 0;
}

bool MatterStore::removeCustodian(std::uint64_t matterId, std::string_view address, TimePoint at) {
  database_.prepare("UPDATE custodians SET removed_at = ? WHERE matter_id = ? AND address = ? AND removed_at = 0")
      .bind(at, matterId, address)
      .run();
  return database_.changes() > 0;
}

std::vector<Custodian> MatterStore::custodiansOf(std::uint64_t matterId) const {
  auto select = database_.prepare(
      "SELECT matter_id, address, name, added_at FROM custodians WHERE matter_id = ? AND removed_at = 0 ORDER BY "
      "address");
  select.bind(matterId);
  std::vector<Custodian> custodians;
  while (select.step())
    custodians.push_back({select.unsignedInteger(0), select.text(1), select.text(2), select.time(3)});
  return custodians;
}

void MatterStore::setTeam(std::uint64_t matterId, const std::vector<std::string>& persons) {
  database_.prepare("DELETE FROM matter_team WHERE matter_id = ?").bind(matterId).run();
  for (const auto& person : persons)
    database_.prepare("INSERT OR IGNORE INTO matter_team (matter_id, person) VALUES (?, ?)")
        .bind(matterId, person)
        .run();
}

std::vector<std::string> MatterStore::teamOf(std::uint64_t matterId) const {
  auto select = database_.prepare("SELECT person FROM matter_team WHERE matter_id = ? ORDER BY person");
  select.bind(matterId);
  std::vector<std::string> persons;
  while (select.step()) persons.push_back(select.text(0));
  return persons;
}

void MatterStore::addNote(std::uint64_t matterId, const MatterNote& note) {
  database_.prepare("INSERT INTO matter_notes (matter_id, at, person, text) VALUES (?, ?, ?, ?)")
      .bind(matterId, note.at, note.person, note.text)
      .run();
}

std::vector<MatterNote> MatterStore::notesOf(std::uint64_t matterId) const {
  auto select = database_.prepare("SELECT at, person, text FROM matter_notes WHERE matter_id = ? ORDER BY id");
  select.bind(matterId);
  std::vector<MatterNote> notes;
  while (select.step()) notes.push_back({select.time(0), select.text(1), select.text(2)});
  return notes;
}

void MatterStore::addAct(std::uint64_t matterId, const MatterAct& act) {
  database_.prepare("INSERT INTO matter_log (matter_id, at, person, act, words, hold_id) VALUES (?, ?, ?, ?, ?, ?)")
      .bind(matterId, act.at, act.person, act.act, act.words, act.holdId)
      .run();
}

std::vector<MatterAct> MatterStore::actsOf(std::uint64_t matterId) const {
  auto select =
      database_.prepare("SELECT at, person, act, words, hold_id FROM matter_log WHERE matter_id = ? ORDER BY id");
  select.bind(matterId);
  std::vector<MatterAct> acts;
  while (select.step())
    acts.push_back({select.time(0), select.text(1), select.text(2), select.text(3), select.unsignedInteger(4)});
  return acts;
}

}  // namespace postern::listd
