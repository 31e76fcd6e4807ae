#include "listd/site/RelayStore.h"

namespace postern::listd {

void RelayStore::set(const RelayRow& relay) {
  database_
      .prepare(
          "INSERT INTO relays (range, domain, list_id) VALUES (?, ?, ?) ON CONFLICT (range, domain) DO UPDATE SET "
          "list_id = excluded.list_id")
      .bind(relay.range, relay.domain, relay.listId)
      .run();
}

std::vector<RelayRow> RelayStore::all() const {
  auto select = database_.prepare(
      "SELECT r.range, r.domain, r.list_id, l.address FROM relays r JOIN lists l ON l.id = r.list_id AND l.deleted_at "
      "= 0 ORDER BY r.domain, "
      "r.range");
  select.bind();
  std::vector<RelayRow> relays;
  while (select.step()) relays.push_back({select.text(0), select.text(1), select.unsignedInteger(2), select.text(3)});
  return relays;
}

bool RelayStore::remove(std::string_view range, std::string_view domain) {
  database_.prepare("DELETE FROM relays WHERE range = ? AND domain = ?").bind(range, domain).run();
  return database_.changes() > 0;
}

}  // namespace postern::listd
