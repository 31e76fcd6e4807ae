#include "listd/site/DomainStore.h"

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

bool DomainStore::remove(std::string_view name) {
  database_.prepare("DELETE FROM domains WHERE name = ?").bind(name).run();
  return database_.changes() > 0;
}

}  // namespace postern::listd
