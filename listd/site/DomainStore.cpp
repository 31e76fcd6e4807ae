#include "listd/site/DomainStore.h"

#include "listd/site/ProtectionColumns.h"

namespace postern::listd {
namespace {

Domain readDomain(const store::Statement& row) {
  return {row.text(0), row.text(1), row.time(2), row.unsignedInteger(3)};
}

}  // namespace

void DomainStore::add(const Domain& domain) {
  database_.prepare("INSERT INTO domains (name, kind, created_at) VALUES (?, ?, ?)")
      .bind(domain.name, domain.kind, domain.createdAt)
      .run();
}

std::optional<Domain> DomainStore::find(std::string_view name) const {
  auto select = database_.prepare(
      "SELECT name, kind, created_at, (SELECT count(*) FROM lists WHERE domain = domains.name) FROM domains "
      "WHERE name = ?");
  if (!select.bind(name).step()) return std::nullopt;
  return readDomain(select);
}

std::vector<Domain> DomainStore::all() const {
  auto select = database_.prepare(
      "SELECT name, kind, created_at, (SELECT count(*) FROM lists WHERE domain = domains.name) FROM domains "
      "ORDER BY name");
  select.bind();
  std::vector<Domain> domains;
  while (select.step()) domains.push_back(readDomain(select));
  return domains;
}

std::vector<std::string> DomainStore::names() const {
  auto select = database_.prepare("SELECT name FROM domains ORDER BY name");
  select.bind();
  std::vector<std::string> names;
  while (select.step()) names.push_back(select.text(0));
  return names;
}

DomainProtection DomainStore::protection(std::string_view name) const {
  auto select =
      database_.prepare("SELECT floor, rungs_low, rungs_moderate, rungs_high, tls_minutes FROM domains WHERE name = ?");
  if (!select.bind(name).step()) return {};
  return {readFloor(select.view(0)), readRungs(select.view(1)), readRungs(select.view(2)), readRungs(select.view(3)),
          readMinutes(select.integer(4))};
}

void DomainStore::setProtection(std::string_view name, const DomainProtection& protection) {
  database_
      .prepare(
          "UPDATE domains SET floor = ?, rungs_low = ?, rungs_moderate = ?, rungs_high = ?, tls_minutes = ? WHERE name "
          "= ?")
      .bind(floorWord(protection.floor), rungWords(protection.low), rungWords(protection.moderate),
            rungWords(protection.high), minutesOf(protection.tlsWithin), name)
      .run();
}

bool DomainStore::remove(std::string_view name) {
  database_.prepare("DELETE FROM domains WHERE name = ?").bind(name).run();
  return database_.changes() > 0;
}

}  // namespace postern::listd
