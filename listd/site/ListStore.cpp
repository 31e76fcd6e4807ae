#include "listd/site/ListStore.h"

#include "listd/site/ProtectionColumns.h"

namespace postern::listd {
namespace {

std::string rowsWhere(std::string_view rest) {
  std::string sql =
      "SELECT id, address, domain, display_name, description, secure, class, state, posting, created_at, certificate, "
      "fingerprint, not_after, deleted_at, openpgp_key, openpgp_fingerprint, floor, rungs, tls_minutes, fresh_keys, "
      "mail_plan, certificate_chain, smime_key_name, openpgp_key_name, publish_keys, plan_on_wish, "
      "subject_prefix, footer, reply_to, author_shown, language FROM lists ";
  return sql.append(rest);
}

List readList(const store::Statement& row) {
  List list;
  list.id = row.unsignedInteger(0);
  list.address = row.text(1);
  list.domain = row.text(2);
  list.displayName = row.text(3);
  list.description = row.text(4);
  list.secure = row.boolean(5);
  list.sensitivity = row.text(6);
  list.open = row.view(7) == "open";
  list.anyonePosts = row.view(8) == "anyone";
  list.createdAt = row.time(9);
  list.certificate = row.blob(10);
  list.fingerprint = row.text(11);
  list.certificateEnds = row.time(12);
  list.deletedAt = row.time(13);
  list.openPgpKey = row.blob(14);
  list.openPgpFingerprint = row.text(15);
  list.protection.floor = readFloor(row.view(16));
  list.protection.rungs = readRungs(row.view(17));
  list.protection.tlsWithin = readMinutes(row.integer(18));
  list.protection.freshKeys = row.boolean(19);
  list.protection.mailPlan = row.boolean(20);
  list.certificateChain = row.text(21);
  list.smimeKeyName = row.text(22);
  list.openPgpKeyName = row.text(23);
  list.publishKeys = row.boolean(24);
  list.protection.planOnWish = row.boolean(25);
  list.shape.subjectPrefix = row.text(26);
  list.shape.footer = row.text(27);
  list.shape.replyTo = readReplyGoes(row.view(28));
  list.shape.author = readAuthorShown(row.view(29));
  list.language = row.text(30);
  return list;
}

const char* stateOf(const List& list) {
  return list.open ? "open" : "closed";
}
const char* postingOf(const List& list) {
  return list.anyonePosts ? "anyone" : "members";
}

}  // namespace

std::uint64_t ListStore::add(const List& list) {
  database_
      .prepare(
          "INSERT INTO lists (address, domain, display_name, description, secure, class, state, posting, "
          "created_at, certificate, fingerprint, not_after, openpgp_key, openpgp_fingerprint, floor, rungs, "
          "tls_minutes, "
          "fresh_keys, mail_plan, plan_on_wish, subject_prefix, footer, reply_to, author_shown, language) VALUES (?, "
          "?, ?, "
          "?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
      .bind(list.address, list.domain, list.displayName, list.description, list.secure, list.sensitivity, stateOf(list),
            postingOf(list), list.createdAt, store::Blob{list.certificate}, list.fingerprint, list.certificateEnds,
            store::Blob{list.openPgpKey}, list.openPgpFingerprint, floorWord(list.protection.floor),
            rungWords(list.protection.rungs), minutesOf(list.protection.tlsWithin), list.protection.freshKeys,
            list.protection.mailPlan, list.protection.planOnWish, list.shape.subjectPrefix, list.shape.footer,
            replyGoesWord(list.shape.replyTo), authorShownWord(list.shape.author), list.language)
      .run();
  return static_cast<std::uint64_t>(database_.lastInsertId());
}

std::optional<List> ListStore::find(std::string_view address) const {
  auto select = database_.prepare(rowsWhere("WHERE address = ?"));
  if (!select.bind(address).step()) return std::nullopt;
  return readList(select);
}

std::optional<List> ListStore::find(std::uint64_t id) const {
  auto select = database_.prepare(rowsWhere("WHERE id = ?"));
  if (!select.bind(id).step()) return std::nullopt;
  return readList(select);
}

std::vector<List> ListStore::all() const {
  auto select = database_.prepare(rowsWhere("ORDER BY address"));
  select.bind();
  std::vector<List> lists;
  while (select.step()) lists.push_back(readList(select));
  return lists;
}

std::uint64_t ListStore::count() const {
  auto select = database_.prepare("SELECT count(*) FROM lists");
  select.bind().step();
  return select.unsignedInteger(0);
}

void ListStore::update(const List& list) {
  database_
      .prepare(
          "UPDATE lists SET display_name = ?, description = ?, class = ?, state = ?, posting = ?, floor = ?, rungs = "
          "?, "
          "tls_minutes = ?, fresh_keys = ?, mail_plan = ?, plan_on_wish = ?, subject_prefix = ?, footer = ?, reply_to "
          "= ?, "
          "author_shown = ?, language = ? WHERE id = ?")
      .bind(list.displayName, list.description, list.sensitivity, stateOf(list), postingOf(list),
            floorWord(list.protection.floor), rungWords(list.protection.rungs), minutesOf(list.protection.tlsWithin),
            list.protection.freshKeys, list.protection.mailPlan, list.protection.planOnWish, list.shape.subjectPrefix,
            list.shape.footer, replyGoesWord(list.shape.replyTo), authorShownWord(list.shape.author), list.language,
            list.id)
      .run();
}

void ListStore::setOpenPgpKey(std::uint64_t id, std::string_view key, std::string_view fingerprint,
                              std::string_view name) {
  database_.prepare("UPDATE lists SET openpgp_key = ?, openpgp_fingerprint = ?, openpgp_key_name = ? WHERE id = ?")
      .bind(store::Blob{key}, fingerprint, name, id)
      .run();
}

void ListStore::setSmimeKey(const List& list) {
  database_
      .prepare(
          "UPDATE lists SET certificate = ?, fingerprint = ?, not_after = ?, certificate_chain = ?, smime_key_name = ? "
          "WHERE id = ?")
      .bind(store::Blob{list.certificate}, list.fingerprint, list.certificateEnds, list.certificateChain,
            list.smimeKeyName, list.id)
      .run();
}

void ListStore::setPublishKeys(std::uint64_t id, bool publish) {
  database_.prepare("UPDATE lists SET publish_keys = ? WHERE id = ?").bind(publish, id).run();
}

void ListStore::setDeleted(std::uint64_t id, TimePoint at) {
  database_.prepare("UPDATE lists SET deleted_at = ? WHERE id = ?").bind(at, id).run();
}

}  // namespace postern::listd
