#include "listd/site/NoticeStore.h"

namespace postern::listd {

bool NoticeStore::take(std::uint64_t listId, std::string_view address, std::string_view reason, TimePoint now) {
  database_
      .prepare(
          "INSERT INTO notices (list_id, address, reason, sent_at) VALUES (?, ?, ?, ?) ON CONFLICT (list_id, "
          "address, reason) DO UPDATE SET sent_at = excluded.sent_at WHERE notices.sent_at <= ?")
      .bind(listId, address, reason, now, now - Interval)
      .run();
  return database_.changes() > 0;
}

}  // namespace postern::listd
