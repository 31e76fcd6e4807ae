#include "listd/dkim/DkimStore.h"

namespace postern::listd {
namespace {

std::string keysWhere(std::string_view rest) {
  std::string sql =
      "SELECT id, domain, selector, kind, service, state, record, made_at, active_at, ends_at, checked_at, found FROM "
      "dkim_keys ";
  return sql.append(rest);
}

DkimKey readKey(const store::Statement& row) {
  DkimKey key;
  key.id = row.unsignedInteger(0);
  key.domain = row.text(1);
  key.selector = row.text(2);
  key.kind = row.text(3);
  key.service = row.text(4);
  key.state = row.text(5);
  key.record = row.text(6);
  key.madeAt = row.time(7);
  key.activeAt = row.time(8);
  key.endsAt = row.time(9);
  key.checkedAt = row.time(10);
  key.found = row.text(11);
  return key;
}

std::vector<DkimKey> readAll(store::Statement& select) {
  std::vector<DkimKey> keys;
  while (select.step()) keys.push_back(readKey(select));
  return keys;
}

}  // namespace

std::string dkimKeyName(const DkimKey& key) {
  return "dkim " + key.name();
}

const char* signingWord(Signing signing) {
  static constexpr const char* Words[] = {"on", "off", "required"};
  return Words[static_cast<std::size_t>(signing)];
}

std::optional<Signing> parseSigning(std::string_view word) {
  for (const auto signing : {Signing::On, Signing::Off, Signing::Required})
    if (word == signingWord(signing)) return signing;
  return std::nullopt;
}

std::uint64_t DkimStore::add(const DkimKey& key) {
  database_
      .prepare(
          "INSERT INTO dkim_keys (domain, selector, kind, service, state, record, made_at) VALUES (?, ?, ?, ?, ?, ?, "
          "?)")
      .bind(key.domain, key.selector, key.kind, key.service, key.state, key.record, key.madeAt)
      .run();
  return static_cast<std::uint64_t>(database_.lastInsertId());
}

std::optional<DkimKey> DkimStore::find(std::string_view domain, std::string_view selector) const {
  auto select = database_.prepare(keysWhere("WHERE domain = ? AND selector = ?"));
  if (!select.bind(domain, selector).step()) return std::nullopt;
  return readKey(select);
}

std::vector<DkimKey> DkimStore::all() const {
  auto select = database_.prepare(keysWhere("ORDER BY domain, id"));
  select.bind();
  return readAll(select);
}

std::vector<DkimKey> DkimStore::ofDomain(std::string_view domain) const {
  auto select = database_.prepare(keysWhere("WHERE domain = ? ORDER BY id"));
  select.bind(domain);
  return readAll(select);
}

std::vector<DkimKey> DkimStore::active(std::string_view domain, std::string_view service) const {
  auto select = database_.prepare(keysWhere("WHERE domain = ? AND state = 'active' AND service = ? ORDER BY id"));
  select.bind(domain, service);
  return readAll(select);
}

void DkimStore::update(const DkimKey& key) {
  database_
      .prepare("UPDATE dkim_keys SET state = ?, active_at = ?, ends_at = ?, checked_at = ?, found = ? WHERE id = ?")
      .bind(key.state, key.activeAt, key.endsAt, key.checkedAt, key.found, key.id)
      .run();
}

void DkimStore::set(std::string_view subject, std::optional<Signing> signing) {
  if (!signing) {
    database_.prepare("DELETE FROM dkim_switches WHERE subject = ?").bind(subject).run();
    return;
  }
  database_
      .prepare(
          "INSERT INTO dkim_switches (subject, signing) VALUES (?, ?) ON CONFLICT (subject) DO UPDATE SET signing = "
          "excluded.signing")
      .bind(subject, signingWord(*signing))
      .run();
}

std::vector<DkimStore::Switch> DkimStore::switches() const {
  auto select = database_.prepare("SELECT subject, signing FROM dkim_switches ORDER BY subject");
  select.bind();
  std::vector<Switch> switches;
  while (select.step()) switches.push_back({select.text(0), parseSigning(select.view(1)).value_or(Signing::Required)});
  return switches;
}

std::optional<Signing> DkimStore::switchOf(std::string_view subject) const {
  auto select = database_.prepare("SELECT signing FROM dkim_switches WHERE subject = ?");
  if (!select.bind(subject).step()) return std::nullopt;
  return parseSigning(select.view(0)).value_or(Signing::Required);  // a word that is not known: fail closed
}

Signing DkimStore::signingOf(std::string_view list, std::string_view domain) const {
  if (!list.empty())
    if (const auto own = switchOf(list)) return *own;
  return switchOf(domain).value_or(Signing::On);
}

}  // namespace postern::listd
