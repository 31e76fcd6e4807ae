#include "listd/keys/KeyRingStore.h"

namespace postern::listd {
namespace {

ListKey readListKey(const store::Statement& row) {
  ListKey key;
  key.id = row.unsignedInteger(0);
  key.listId = row.unsignedInteger(1);
  key.kind = row.text(2);
  key.state = row.text(3);
  key.name = row.text(4);
  key.fingerprint = row.text(5);
  key.publicPart = row.blob(6);
  key.madeAt = row.time(7);
  key.endsAt = row.time(8);
  key.announcedAt = row.time(9);
  return key;
}

std::vector<ListKey> readListKeys(store::Statement& select) {
  std::vector<ListKey> keys;
  while (select.step()) keys.push_back(readListKey(select));
  return keys;
}

std::string listKeysWhere(std::string_view rest) {
  std::string sql =
      "SELECT id, list_id, kind, state, name, fingerprint, public_part, made_at, ends_at, announced_at "
      "FROM list_keys WHERE ";
  return sql.append(rest);
}

}  // namespace

bool KeyRingStore::isRefused(std::string_view address, std::string_view fingerprint) const {
  return database_.prepare("SELECT 1 FROM key_refusals WHERE address = ? AND fingerprint = ?")
      .bind(address, fingerprint)
      .step();
}

bool KeyRingStore::isRefusedByPerson(std::string_view address, std::string_view fingerprint) const {
  auto select =
      database_.prepare("SELECT 1 FROM key_refusals WHERE address = ? AND fingerprint = ? AND refused_by <> ''");
  return select.bind(address, fingerprint).step();
}

std::uint64_t KeyRingStore::countRefusals(std::string_view address) const {
  auto select = database_.prepare("SELECT count(*) FROM key_refusals WHERE address = ?");
  select.bind(address).step();
  return select.unsignedInteger(0);
}

void KeyRingStore::addRefusal(std::string_view address, std::string_view fingerprint, std::string_view reason,
                              TimePoint at, std::string_view by) {
  forgetRefusal(address, fingerprint);
  database_
      .prepare("INSERT INTO key_refusals (address, fingerprint, reason, refused_at, refused_by) VALUES (?, ?, ?, ?, ?)")
      .bind(address, fingerprint, reason, at, by)
      .run();
}

void KeyRingStore::forgetRefusal(std::string_view address, std::string_view fingerprint) {
  database_.prepare("DELETE FROM key_refusals WHERE address = ? AND fingerprint = ?").bind(address, fingerprint).run();
}

std::uint64_t KeyRingStore::addLink(const KeyLink& link) {
  database_.prepare("INSERT INTO key_links (address, purpose, candidate, made_at, ends_at) VALUES (?, ?, ?, ?, ?)")
      .bind(link.address, link.purpose, store::Blob{link.candidate}, link.madeAt, link.endsAt)
      .run();
  return static_cast<std::uint64_t>(database_.lastInsertId());
}

std::optional<KeyLink> KeyRingStore::link(std::uint64_t id) const {
  auto select = database_.prepare(
      "SELECT id, address, purpose, candidate, made_at, ends_at, used_at FROM key_links WHERE id = ?");
  if (!select.bind(id).step()) return std::nullopt;
  KeyLink link;
  link.id = select.unsignedInteger(0);
  link.address = select.text(1);
  link.purpose = select.text(2);
  link.candidate = select.blob(3);
  link.madeAt = select.time(4);
  link.endsAt = select.time(5);
  link.usedAt = select.time(6);
  return link;
}

bool KeyRingStore::useLink(std::uint64_t id, TimePoint at) {
  database_.prepare("UPDATE key_links SET used_at = ? WHERE id = ? AND used_at = 0").bind(at, id).run();
  return database_.changes() > 0;
}

std::uint64_t KeyRingStore::linksSince(std::string_view address, TimePoint from) const {
  auto select = database_.prepare("SELECT count(*) FROM key_links WHERE address = ? AND made_at > ?");
  select.bind(address, from).step();
  return select.unsignedInteger(0);
}

std::uint64_t KeyRingStore::answersSince(TimePoint from) const {
  auto select = database_.prepare("SELECT count(*) FROM key_links WHERE purpose = 'answer' AND made_at > ?");
  select.bind(from).step();
  return select.unsignedInteger(0);
}

void KeyRingStore::sweepLinks(TimePoint endedBefore) {
  database_.prepare("DELETE FROM key_links WHERE ends_at < ?").bind(endedBefore).run();
}

bool KeyRingStore::noteReminder(std::string_view address, std::string_view fingerprint, int step, TimePoint at) {
  if (database_.prepare("SELECT 1 FROM key_reminders WHERE address = ? AND fingerprint = ? AND step = ?")
          .bind(address, fingerprint, step)
          .step())
    return false;
  database_.prepare("INSERT INTO key_reminders (address, fingerprint, step, sent_at) VALUES (?, ?, ?, ?)")
      .bind(address, fingerprint, step, at)
      .run();
  return true;
}

std::optional<RevocationNote> KeyRingStore::revocation(std::string_view fingerprint) const {
  auto select =
      database_.prepare("SELECT state, detail, checked_at, fresh_until FROM key_revocation WHERE fingerprint = ?");
  if (!select.bind(fingerprint).step()) return std::nullopt;
  return RevocationNote{select.text(0), select.text(1), select.time(2), select.time(3)};
}

void KeyRingStore::noteRevocation(std::string_view fingerprint, const RevocationNote& note) {
  if (note.state == "unknown") {
    const auto known = revocation(fingerprint);
    if (known && known->state == "revoked") return;
  }
  database_.prepare("DELETE FROM key_revocation WHERE fingerprint = ?").bind(fingerprint).run();
  database_
      .prepare(
          "INSERT INTO key_revocation (fingerprint, state, detail, checked_at, fresh_until) VALUES (?, ?, ?, ?, ?)")
      .bind(fingerprint, note.state, note.detail, note.checkedAt, note.freshUntil)
      .run();
}

void KeyRingStore::forgetReminders(TimePoint endAfter) {
  database_
      .prepare(
          "DELETE FROM key_reminders WHERE NOT EXISTS (SELECT 1 FROM member_keys k WHERE k.address = "
          "key_reminders.address AND k.fingerprint = key_reminders.fingerprint AND k.not_after <= ?)")
      .bind(endAfter)
      .run();
}

std::map<std::string, RevocationNote> KeyRingStore::revocations(std::uint64_t after, std::uint64_t upTo) const {
  auto select = database_.prepare(
      "SELECT r.fingerprint, r.state, r.detail, r.checked_at, r.fresh_until FROM member_keys k JOIN key_revocation r "
      "ON "
      "r.fingerprint = k.fingerprint WHERE k.id > ? AND k.id <= ?");
  select.bind(after, upTo);
  std::map<std::string, RevocationNote> notes;
  while (select.step())
    notes[select.text(0)] = RevocationNote{select.text(1), select.text(2), select.time(3), select.time(4)};
  return notes;
}

std::optional<KeyRingStore::FetchedList> KeyRingStore::revocationList(std::string_view url) const {
  auto select = database_.prepare("SELECT body, fresh_until FROM revocation_lists WHERE url = ?");
  if (!select.bind(url).step()) return std::nullopt;
  return FetchedList{select.blob(0), select.time(1)};
}

void KeyRingStore::keepRevocationList(std::string_view url, const FetchedList& list, TimePoint now) {
  database_.prepare("DELETE FROM revocation_lists WHERE url = ?").bind(url).run();
  database_.prepare("INSERT INTO revocation_lists (url, body, fetched_at, fresh_until) VALUES (?, ?, ?, ?)")
      .bind(url, store::Blob{list.body}, now, list.freshUntil)
      .run();
}

void KeyRingStore::sweepRevocationLists(TimePoint now) {
  database_.prepare("DELETE FROM revocation_lists WHERE fresh_until < ?").bind(now).run();
}

std::uint64_t KeyRingStore::addListKey(const ListKey& key) {
  database_
      .prepare(
          "INSERT INTO list_keys (list_id, kind, state, name, fingerprint, public_part, made_at, ends_at, "
          "announced_at) "
          "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)")
      .bind(key.listId, key.kind, key.state, key.name, key.fingerprint, store::Blob{key.publicPart}, key.madeAt,
            key.endsAt, key.announcedAt)
      .run();
  return static_cast<std::uint64_t>(database_.lastInsertId());
}

std::vector<ListKey> KeyRingStore::listKeys(std::uint64_t listId) const {
  auto select = database_.prepare(listKeysWhere("list_id = ? ORDER BY id DESC"));
  select.bind(listId);
  return readListKeys(select);
}

std::vector<ListKey> KeyRingStore::listKeysEndedBefore(TimePoint at) const {
  auto select = database_.prepare(listKeysWhere("state = 'former' AND ends_at < ?"));
  select.bind(at);
  return readListKeys(select);
}

std::vector<ListKey> KeyRingStore::listKeysToAnnounce() const {
  auto select = database_.prepare(listKeysWhere("state = 'former' AND announced_at = 0 ORDER BY id"));
  select.bind();
  return readListKeys(select);
}

std::vector<ListKey> KeyRingStore::listKeysNotEnded() const {
  auto select = database_.prepare(listKeysWhere("state IN ('former', 'requested')"));
  select.bind();
  return readListKeys(select);
}

void KeyRingStore::noteAnnounced(std::uint64_t id, TimePoint at) {
  database_.prepare("UPDATE list_keys SET announced_at = ? WHERE id = ?").bind(at, id).run();
}

void KeyRingStore::endListKey(std::uint64_t id) {
  database_.prepare("UPDATE list_keys SET state = 'ended' WHERE id = ?").bind(id).run();
}

void KeyRingStore::removeListKey(std::uint64_t id) {
  database_.prepare("DELETE FROM list_keys WHERE id = ?").bind(id).run();
}

}  // namespace postern::listd
