#include "listd/site/RelayStore.h"

namespace postern::listd {

void RelayStore::set(const RelayRow& relay) {
  database_
      .prepare(
          "INSERT INTO relays (range, domain, fingerprint, issuer, name, list_id) VALUES (?, ?, ?, ?, ?, ?) ON "
          "CONFLICT (range, domain, fingerprint, issuer, name) DO UPDATE SET list_id = excluded.list_id")
      .bind(relay.range, relay.domain, relay.fingerprint, relay.issuer, relay.name, relay.listId)
      .run();
}

std::vector<RelayRow> RelayStore::all() const {
  auto select = database_.prepare(
      "SELECT r.range, r.domain, r.list_id, l.address, r.fingerprint, r.issuer, r.name FROM relays r JOIN lists l ON "
      "l.id = r.list_id AND l.deleted_at = 0 ORDER BY r.domain, r.range, r.fingerprint, r.name");
  select.bind();
  std::vector<RelayRow> relays;
  while (select.step())
    relays.push_back({select.text(0), select.text(1), select.unsignedInteger(2), select.text(3), select.text(4),
                      select.text(5), select.text(6)});
  return relays;
}

void RelayStore::remove(const RelayRow& relay) {
  database_.prepare("DELETE FROM relays WHERE range = ? AND domain = ? AND fingerprint = ? AND issuer = ? AND name = ?")
      .bind(relay.range, relay.domain, relay.fingerprint, relay.issuer, relay.name)
      .run();
}

}  // namespace postern::listd
