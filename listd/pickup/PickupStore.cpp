#include "listd/pickup/PickupStore.h"

#include "core/base/Error.h"

namespace postern::listd {
namespace {

#define ITEM_COLUMNS                                                                                              \
  "SELECT id, post_id, content_id, list_id, address, key_object, state, created_at, expires_at, link_issued_at, " \
  "link_used_at, resent_at, released_at, first_opened_at, opened_session, opened_network, opened_how, opens, "    \
  "ended_at, reported_at, report FROM pickup_items "

PickupState parseState(std::string_view word) {
  for (const auto state : {PickupState::Waiting, PickupState::Recalled, PickupState::Expired, PickupState::GivenUp})
    if (word == pickupStateWord(state)) return state;
  throw Error(ErrorKind::Store, "a pick-up item in site.db has the unknown state " + std::string(word));
}

PickupItem readItem(const store::Statement& row) {
  PickupItem item;
  item.id = row.unsignedInteger(0);
  item.postId = row.unsignedInteger(1);
  item.contentId = row.unsignedInteger(2);
  item.listId = row.unsignedInteger(3);
  item.address = row.text(4);
  item.keyObject = row.unsignedInteger(5);
  item.state = parseState(row.view(6));
  item.createdAt = row.time(7);
  item.expiresAt = row.time(8);
  item.linkIssuedAt = row.time(9);
  item.linkUsedAt = row.time(10);
  item.resentAt = row.time(11);
  item.releasedAt = row.time(12);
  item.firstOpenedAt = row.time(13);
  item.openedSession = row.text(14);
  item.openedNetwork = row.text(15);
  item.openedHow = row.text(16);
  item.opens = row.unsignedInteger(17);
  item.endedAt = row.time(18);
  item.reportedAt = row.time(19);
  item.report = row.text(20);
  return item;
}

std::vector<PickupItem> itemsOf(store::Statement& select) {
  std::vector<PickupItem> items;
  while (select.step()) items.push_back(readItem(select));
  return items;
}

std::optional<PickupItem> itemOf(store::Statement& select) {
  if (!select.step()) return std::nullopt;
  return readItem(select);
}

constexpr std::int64_t FromNewest = INT64_MAX;
std::int64_t below(std::uint64_t before) {
  return before == 0 ? FromNewest : static_cast<std::int64_t>(before);
}

}  // namespace

const char* pickupStateWord(PickupState state) {
  switch (state) {
    case PickupState::Waiting:
      return "waiting";
    case PickupState::Recalled:
      return "recalled";
    case PickupState::Expired:
      return "expired";
    case PickupState::GivenUp:
      return "given-up";
  }
  throw Error(ErrorKind::Invariant, "a pick-up item has an unknown state");
}

PickupSettings PickupStore::settings(std::uint64_t listId) const {
  auto select = database_.prepare("SELECT days, neutral, reply_to_list, question FROM pickup_lists WHERE list_id = ?");
  if (!select.bind(listId).step()) return {};
  return {static_cast<std::uint32_t>(select.integer(0)), select.boolean(1), select.boolean(2), select.boolean(3)};
}

void PickupStore::setSettings(std::uint64_t listId, const PickupSettings& settings) {
  database_
      .prepare(
          "INSERT INTO pickup_lists (list_id, days, neutral, reply_to_list, question) VALUES (?, ?, ?, ?, ?) ON "
          "CONFLICT (list_id) DO UPDATE SET days = excluded.days, neutral = excluded.neutral, reply_to_list = "
          "excluded.reply_to_list, question = excluded.question")
      .bind(listId, settings.days, settings.neutral, settings.replyToList, settings.question)
      .run();
}

std::optional<std::uint64_t> PickupStore::attachmentLimit(std::string_view domain) const {
  auto select = database_.prepare("SELECT limit_bytes FROM pickup_domains WHERE domain = ?");
  if (!select.bind(domain).step()) return std::nullopt;
  return select.unsignedInteger(0);
}

void PickupStore::setAttachmentLimit(std::string_view domain, std::optional<std::uint64_t> limit) {
  database_.prepare("DELETE FROM pickup_domains WHERE domain = ?").bind(domain).run();
  if (limit)
    database_.prepare("INSERT INTO pickup_domains (domain, limit_bytes) VALUES (?, ?)").bind(domain, *limit).run();
}

std::vector<PickupStore::DomainRow> PickupStore::domains() const {
  auto select = database_.prepare("SELECT domain, limit_bytes FROM pickup_domains ORDER BY domain");
  std::vector<DomainRow> rows;
  while (select.step()) rows.push_back({select.text(0), select.unsignedInteger(1)});
  return rows;
}

void PickupStore::addContent(const PickupContentRow& row) {
  database_
      .prepare(
          "INSERT INTO pickup_contents (id, post_id, sender, sealed_size, card, created_at) VALUES (?, ?, ?, ?, ?, ?)")
      .bind(row.id, row.postId, row.sender, row.sealedSize, store::Blob{row.card}, row.createdAt)
      .run();
}

std::optional<PickupContentRow> PickupStore::content(std::uint64_t id) const {
  auto select =
      database_.prepare("SELECT id, post_id, sender, sealed_size, card, created_at FROM pickup_contents WHERE id = ?");
  if (!select.bind(id).step()) return std::nullopt;
  return PickupContentRow{select.unsignedInteger(0),
                          select.unsignedInteger(1),
                          select.text(2),
                          select.unsignedInteger(3),
                          select.blob(4),
                          select.time(5)};
}

std::vector<std::uint64_t> PickupStore::unusedContents(TimePoint before, std::uint32_t limit) const {
  auto select = database_.prepare(
      "SELECT c.id FROM pickup_contents c WHERE c.sealed_size > 0 AND c.created_at < ? AND NOT EXISTS (SELECT 1 FROM "
      "pickup_items i WHERE i.content_id = c.id AND i.key_object <> 0) AND NOT EXISTS (SELECT 1 FROM posts p WHERE "
      "p.id = c.post_id AND p.state = 'planned') LIMIT ?");
  select.bind(before, limit);
  std::vector<std::uint64_t> ids;
  while (select.step()) ids.push_back(select.unsignedInteger(0));
  return ids;
}

void PickupStore::removeContent(std::uint64_t id) {
  database_.prepare("UPDATE pickup_contents SET sealed_size = 0, card = x'' WHERE id = ?").bind(id).run();
}

std::vector<std::uint64_t> PickupStore::postsSentBy(std::string_view sender, std::uint32_t limit) const {
  auto select =
      database_.prepare("SELECT DISTINCT post_id FROM pickup_contents WHERE sender = ? ORDER BY post_id DESC LIMIT ?");
  select.bind(sender, limit);
  std::vector<std::uint64_t> ids;
  while (select.step()) ids.push_back(select.unsignedInteger(0));
  return ids;
}

void PickupStore::add(const PickupItem& item) {
  database_
      .prepare(
          "INSERT INTO pickup_items (id, post_id, content_id, list_id, address, key_object, state, created_at, "
          "expires_at, link_issued_at) VALUES (?, ?, ?, ?, ?, ?, 'waiting', ?, ?, ?)")
      .bind(item.id, item.postId, item.contentId, item.listId, item.address, item.keyObject, item.createdAt,
            item.expiresAt, item.linkIssuedAt)
      .run();
}

std::optional<PickupItem> PickupStore::find(std::uint64_t id) const {
  auto select = database_.prepare(ITEM_COLUMNS "WHERE id = ?");
  select.bind(id);
  return itemOf(select);
}

std::optional<PickupItem> PickupStore::findOwn(std::string_view address, std::uint64_t contentId) const {
  auto select = database_.prepare(ITEM_COLUMNS "WHERE address = ? AND content_id = ? ORDER BY id DESC LIMIT 1");
  select.bind(address, contentId);
  return itemOf(select);
}

std::vector<PickupItem> PickupStore::ofAddress(std::string_view address, std::uint64_t before,
                                               std::uint32_t limit) const {
  auto select = database_.prepare(ITEM_COLUMNS "WHERE address = ? AND id < ? ORDER BY id DESC LIMIT ?");
  select.bind(address, below(before), limit);
  return itemsOf(select);
}

std::vector<PickupItem> PickupStore::ofList(std::uint64_t listId, std::string_view state, std::uint64_t before,
                                            std::uint32_t limit) const {
  if (listId == 0) {
    auto select = database_.prepare(ITEM_COLUMNS "WHERE id < ?1 AND (?2 = '' OR state = ?2) ORDER BY id DESC LIMIT ?3");
    select.bind(below(before), state, limit);
    return itemsOf(select);
  }
  auto select = database_.prepare(
      ITEM_COLUMNS "WHERE list_id = ?1 AND id < ?2 AND (?3 = '' OR state = ?3) ORDER BY id DESC LIMIT ?4");
  select.bind(listId, below(before), state, limit);
  return itemsOf(select);
}

std::vector<PickupItem> PickupStore::ofPost(std::uint64_t postId) const {
  auto select = database_.prepare(ITEM_COLUMNS "WHERE post_id = ? ORDER BY id");
  select.bind(postId);
  return itemsOf(select);
}

bool PickupStore::anyFor(std::string_view address) const {
  auto select = database_.prepare("SELECT 1 FROM pickup_items WHERE address = ? AND key_object <> 0 LIMIT 1");
  return select.bind(address).step();
}

PickupStore::PostCounts PickupStore::counts(std::uint64_t postId) const {
  auto select = database_.prepare(
      "SELECT count(*), coalesce(sum(state = 'waiting'), 0), coalesce(sum(first_opened_at > 0), 0), "
      "coalesce(max(expires_at), 0) FROM pickup_items WHERE post_id = ?");
  select.bind(postId).step();
  return {select.unsignedInteger(0), select.unsignedInteger(1), select.unsignedInteger(2), select.time(3)};
}

void PickupStore::useLink(std::uint64_t id, TimePoint at) {
  database_.prepare("UPDATE pickup_items SET link_used_at = ? WHERE id = ?").bind(at, id).run();
}

void PickupStore::setLink(std::uint64_t id, TimePoint issuedAt) {
  database_.prepare("UPDATE pickup_items SET link_issued_at = ?1, link_used_at = 0, resent_at = ?1 WHERE id = ?2")
      .bind(issuedAt, id)
      .run();
}

void PickupStore::setExpiry(std::uint64_t id, TimePoint expiresAt) {
  database_.prepare("UPDATE pickup_items SET expires_at = ? WHERE id = ?").bind(expiresAt, id).run();
}

void PickupStore::release(std::uint64_t id, TimePoint at) {
  database_.prepare("UPDATE pickup_items SET released_at = ? WHERE id = ?").bind(at, id).run();
}

void PickupStore::recordOpen(std::uint64_t id, TimePoint at, std::string_view session, std::string_view network,
                             std::string_view how) {
  database_
      .prepare(
          "UPDATE pickup_items SET opens = opens + 1, opened_session = CASE WHEN first_opened_at = 0 THEN ?2 ELSE "
          "opened_session END, opened_network = CASE WHEN first_opened_at = 0 THEN ?3 ELSE opened_network END, "
          "opened_how = CASE WHEN first_opened_at = 0 THEN ?4 ELSE opened_how END, first_opened_at = CASE WHEN "
          "first_opened_at = 0 THEN ?1 ELSE first_opened_at END WHERE id = ?5")
      .bind(at, session, network, how, id)
      .run();
}

void PickupStore::recordReport(std::uint64_t id, TimePoint at, std::string_view words) {
  database_.prepare("UPDATE pickup_items SET reported_at = ?, report = ? WHERE id = ?").bind(at, words, id).run();
}

void PickupStore::end(std::uint64_t id, PickupState state, TimePoint at) {
  database_.prepare("UPDATE pickup_items SET state = ?, ended_at = ? WHERE id = ? AND state = 'waiting'")
      .bind(pickupStateWord(state), at, id)
      .run();
}

std::vector<PickupItem> PickupStore::toDestroy(TimePoint now, std::uint64_t after, std::uint32_t limit) const {
  auto select = database_.prepare(
      ITEM_COLUMNS
      "WHERE key_object <> 0 AND (expires_at <= ?1 OR state <> 'waiting') AND id > ?2 ORDER BY id LIMIT ?3");
  select.bind(now, after, limit);
  return itemsOf(select);
}

void PickupStore::noteDestroyed(std::uint64_t id, TimePoint now) {
  end(id, PickupState::Expired, now);
  database_.prepare("UPDATE pickup_items SET key_object = 0 WHERE id = ?").bind(id).run();
}

}  // namespace postern::listd
