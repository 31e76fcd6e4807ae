#include "listd/site/MemberKeyStore.h"

namespace postern::listd {
namespace {

std::string rowsWhere(std::string_view rest) {
  std::string sql =
      "SELECT id, address, kind, fingerprint, state, verdict, not_before, not_after, algorithm, bits, subject, issuer, "
      "added_at, recipient_key, certificate, origin, mailbox_proven, checked_at, "
      "(SELECT r.state || ':' || r.detail FROM key_revocation r WHERE r.fingerprint = member_keys.fingerprint) FROM "
      "member_keys WHERE ";
  return sql.append(rest);
}

MemberKey readKey(const store::Statement& row) {
  MemberKey key;
  key.id = row.unsignedInteger(0);
  key.address = row.text(1);
  key.facts.kind = parseKeyKind(row.view(2));
  key.facts.fingerprint = row.text(3);
  key.facts.state = parseKeyState(row.view(4));
  key.facts.verdict = parseReason(row.view(5)).value_or(Reason::UnsupportedKey);
  key.facts.notBefore = row.time(6);
  key.facts.notAfter = row.time(7);
  key.algorithm = row.text(8);
  key.bits = static_cast<std::uint32_t>(row.integer(9));
  key.subject = row.text(10);
  key.issuer = row.text(11);
  key.addedAt = row.time(12);
  key.recipientKey = row.blob(13);
  key.certificate = row.blob(14);
  key.origin = row.text(15);
  key.mailboxProven = row.integer(16) != 0;
  key.checkedAt = row.time(17);
  const auto said = row.text(18);
  const auto colon = said.find(':');
  key.issuerSays = said.substr(0, colon);
  if (colon != std::string::npos) key.issuerDetail = said.substr(colon + 1);
  return key;
}

std::vector<MemberKey> readKeys(store::Statement& select) {
  std::vector<MemberKey> keys;
  while (select.step()) keys.push_back(readKey(select));
  return keys;
}

// The verdict as it is written: whoever wrote it, a certificate that its issuer revoked is never good here, nor is one
// of which the issuer said nothing yet where the site wants its word (migration 0014). ?1: fingerprint, ?2: verdict.
constexpr std::string_view Verdict =
    "CASE WHEN ?2 <> 'valid-certificate' THEN ?2 "
    "WHEN EXISTS (SELECT 1 FROM key_revocation r WHERE r.fingerprint = ?1 AND r.state = 'revoked') THEN 'revoked' "
    "WHEN (SELECT value FROM counters WHERE name = 'revocation-strict') = 1 AND NOT EXISTS (SELECT 1 FROM "
    "key_revocation r WHERE r.fingerprint = ?1 AND r.state = 'good') THEN 'revocation-unknown' ELSE ?2 END";

std::string withVerdict(std::string_view before, std::string_view after) {
  std::string sql(before);
  return sql.append(Verdict).append(after);
}

}  // namespace

void MemberKeyStore::add(const MemberKey& key) {
  database_
      .prepare(withVerdict(
          "INSERT INTO member_keys (fingerprint, verdict, address, kind, state, not_before, not_after, algorithm, "
          "bits, subject, issuer, added_at, recipient_key, certificate, origin, mailbox_proven) VALUES (?1, ",
          ", ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)"))
      .bind(key.facts.fingerprint, reasonWord(key.facts.verdict), key.address, keyKindWord(key.facts.kind),
            keyStateWord(key.facts.state), key.facts.notBefore, key.facts.notAfter, key.algorithm, key.bits,
            key.subject, key.issuer, key.addedAt, store::Blob{key.recipientKey}, store::Blob{key.certificate},
            key.origin, key.mailboxProven ? 1 : 0)
      .run();
}

void MemberKeyStore::replaceVerdict(const MemberKey& key) {
  database_
      .prepare(withVerdict("UPDATE member_keys SET verdict = ",
                           ", state = ?3, not_before = ?4, not_after = ?5, recipient_key = ?6, certificate = ?7 "
                           "WHERE address = ?8 AND fingerprint = ?1"))
      .bind(key.facts.fingerprint, reasonWord(key.facts.verdict), keyStateWord(key.facts.state), key.facts.notBefore,
            key.facts.notAfter, store::Blob{key.recipientKey}, store::Blob{key.certificate}, key.address)
      .run();
}

bool MemberKeyStore::rejudge(const MemberKey& key) {
  database_
      .prepare(withVerdict("UPDATE member_keys SET verdict = ",
                           ", not_before = ?3, not_after = ?4, recipient_key = ?5 WHERE id = ?6 AND certificate = ?7"))
      .bind(key.facts.fingerprint, reasonWord(key.facts.verdict), key.facts.notBefore, key.facts.notAfter,
            store::Blob{key.recipientKey}, key.id, store::Blob{key.certificate})
      .run();
  return database_.changes() > 0;
}

void MemberKeyStore::noteChecked(std::uint64_t after, std::uint64_t upTo, TimePoint at) {
  database_.prepare("UPDATE member_keys SET checked_at = ? WHERE id > ? AND id <= ?").bind(at, after, upTo).run();
}

std::vector<MemberKey> MemberKeyStore::withoutIssuersWord(std::uint32_t limit) const {
  auto select = database_.prepare(
      rowsWhere("verdict = 'revocation-unknown' AND fingerprint NOT IN (SELECT fingerprint FROM key_revocation) "
                "LIMIT ?"));
  select.bind(limit);
  return readKeys(select);
}

namespace {

// Driven by the keys that are asked for, which are few; the list's roster may have 100,000.
constexpr std::string_view CountWhere = "SELECT count(*) FROM member_keys WHERE ";
constexpr std::string_view ProposedOn =
    "state = 'proposed' AND EXISTS (SELECT 1 FROM members m WHERE m.address = member_keys.address AND m.list_id = ?1 "
    "AND "
    "m.state = 'enabled')";
constexpr std::string_view EndingOn =
    "not_after > ?2 AND not_after <= ?3 AND state = 'confirmed' AND EXISTS (SELECT 1 FROM members m WHERE m.address = "
    "member_keys.address AND m.list_id = ?1 AND m.state = 'enabled') AND NOT EXISTS (SELECT 1 FROM member_keys n WHERE "
    "n.address = member_keys.address AND n.state = 'confirmed' AND n.not_after > member_keys.not_after AND n.verdict "
    "IN "
    "('valid-certificate', 'valid-openpgp-key'))";

}  // namespace

std::uint64_t MemberKeyStore::count() const {
  auto select = database_.prepare("SELECT count(*) FROM member_keys");
  select.step();
  return select.unsignedInteger(0);
}

std::vector<std::string> MemberKeyStore::addressesOn(std::uint64_t listId) const {
  auto select = database_.prepare(
      "SELECT DISTINCT k.address FROM members m JOIN member_keys k ON k.address = m.address WHERE m.list_id = ?");
  select.bind(listId);
  std::vector<std::string> addresses;
  while (select.step()) addresses.push_back(select.text(0));
  return addresses;
}

std::vector<MemberKey> MemberKeyStore::withKeyId(std::uint64_t listId, std::string_view keyId,
                                                 std::uint32_t limit) const {
  auto select = database_.prepare(
      rowsWhere("kind = 'openpgp' AND state = 'confirmed' AND instr(certificate, ?2) > 0 AND EXISTS (SELECT 1 FROM "
                "members m WHERE m.address = member_keys.address AND m.list_id = ?1 AND m.state = 'enabled') "
                "ORDER BY id LIMIT ?3"));
  select.bind(listId, store::Blob{keyId}, limit);
  return readKeys(select);
}

std::vector<MemberKey> MemberKeyStore::proposalsOn(std::uint64_t listId, std::uint32_t limit) const {
  auto select = database_.prepare(rowsWhere(std::string(ProposedOn).append(" ORDER BY id LIMIT ?2")));
  select.bind(listId, limit);
  return readKeys(select);
}

std::uint64_t MemberKeyStore::countProposalsOn(std::uint64_t listId) const {
  auto select = database_.prepare(std::string(CountWhere).append(ProposedOn));
  select.bind(listId).step();
  return select.unsignedInteger(0);
}

std::vector<MemberKey> MemberKeyStore::endingOn(std::uint64_t listId, TimePoint from, TimePoint to,
                                                std::uint32_t limit) const {
  auto select = database_.prepare(rowsWhere(std::string(EndingOn).append(" ORDER BY not_after, id LIMIT ?4")));
  select.bind(listId, from, to, limit);
  return readKeys(select);
}

std::uint64_t MemberKeyStore::countEndingOn(std::uint64_t listId, TimePoint from, TimePoint to) const {
  auto select = database_.prepare(std::string(CountWhere).append(EndingOn));
  select.bind(listId, from, to).step();
  return select.unsignedInteger(0);
}

std::vector<EndingKey> MemberKeyStore::ending(TimePoint from, TimePoint to) const {
  auto select = database_.prepare(
      "SELECT k.address, k.fingerprint, k.not_after FROM member_keys k WHERE k.not_after > ?1 AND k.not_after <= ?2 "
      "AND k.state = 'confirmed' AND k.verdict IN ('valid-certificate', 'valid-openpgp-key', 'revocation-unknown') "
      "AND EXISTS (SELECT 1 FROM members m WHERE m.address = k.address AND m.state = 'enabled') "
      "AND NOT EXISTS (SELECT 1 FROM member_keys n WHERE n.address = k.address AND n.state = 'confirmed' AND "
      "n.not_after > k.not_after AND n.verdict IN ('valid-certificate', 'valid-openpgp-key')) ORDER BY k.id");
  select.bind(from, to);
  std::vector<EndingKey> keys;
  while (select.step()) keys.push_back({select.text(0), select.text(1), select.time(2)});
  return keys;
}

std::optional<MemberKey> MemberKeyStore::find(std::string_view address, std::string_view fingerprint) const {
  auto select = database_.prepare(rowsWhere("address = ? AND fingerprint = ?"));
  if (!select.bind(address, fingerprint).step()) return std::nullopt;
  return readKey(select);
}

std::vector<MemberKey> MemberKeyStore::withFingerprint(std::string_view fingerprint) const {
  auto select = database_.prepare(rowsWhere("fingerprint = ? ORDER BY id"));
  select.bind(fingerprint);
  return readKeys(select);
}

std::vector<MemberKey> MemberKeyStore::withFingerprintPrefix(std::string_view prefix) const {
  auto select = database_.prepare(rowsWhere("fingerprint >= ? AND fingerprint < ? ORDER BY fingerprint, id LIMIT 100"));
  select.bind(prefix, std::string(prefix) + "g");  // behind every hexadecimal digit
  return readKeys(select);
}

std::vector<KeyFacts> MemberKeyStore::factsOf(std::string_view address) const {
  auto select = database_.prepare(
      "SELECT fingerprint, state, verdict, not_before, not_after, kind FROM member_keys WHERE address = ?");
  select.bind(address);
  std::vector<KeyFacts> keys;
  while (select.step())
    keys.push_back({select.text(0), parseKeyState(select.view(1)),
                    parseReason(select.view(2)).value_or(Reason::UnsupportedKey), select.time(3), select.time(4),
                    parseKeyKind(select.view(5))});
  return keys;
}

void MemberKeyStore::setState(std::string_view fingerprint, KeyState state) {
  database_.prepare("UPDATE member_keys SET state = ? WHERE fingerprint = ?")
      .bind(keyStateWord(state), fingerprint)
      .run();
}

void MemberKeyStore::setStanding(const MemberKey& key) {
  database_
      .prepare("UPDATE member_keys SET state = ?, origin = ?, mailbox_proven = ? WHERE address = ? AND fingerprint = ?")
      .bind(keyStateWord(key.facts.state), key.origin, key.mailboxProven ? 1 : 0, key.address, key.facts.fingerprint)
      .run();
}

bool MemberKeyStore::removeProposal(std::string_view address, std::string_view fingerprint) {
  database_.prepare("DELETE FROM member_keys WHERE address = ? AND fingerprint = ? AND state = 'proposed'")
      .bind(address, fingerprint)
      .run();
  return database_.changes() > 0;
}

std::uint64_t MemberKeyStore::countProposals(std::string_view address) const {
  auto select = database_.prepare("SELECT count(*) FROM member_keys WHERE address = ? AND state = 'proposed'");
  select.bind(address).step();
  return select.unsignedInteger(0);
}

std::uint64_t MemberKeyStore::countProposals() const {
  auto select = database_.prepare("SELECT count(*) FROM member_keys WHERE state = 'proposed'");
  select.step();
  return select.unsignedInteger(0);
}

std::optional<MemberKey> MemberKeyStore::oldestUnproven(std::string_view address) const {
  auto select =
      database_.prepare(rowsWhere("address = ? AND state = 'proposed' AND mailbox_proven = 0 ORDER BY id LIMIT 1"));
  if (!select.bind(address).step()) return std::nullopt;
  return readKey(select);
}

std::vector<MemberKey> MemberKeyStore::pageOf(KeyState state, std::uint64_t after, std::uint32_t limit) const {
  auto select = database_.prepare(rowsWhere("state = ? AND id > ? ORDER BY id LIMIT ?"));
  select.bind(keyStateWord(state), after, limit);
  return readKeys(select);
}

std::vector<MemberKey> MemberKeyStore::page(std::string_view address, std::uint64_t after, std::uint32_t limit) const {
  auto select = database_.prepare(
      rowsWhere(address.empty() ? "id > ? ORDER BY id LIMIT ?" : "id > ? AND address = ? ORDER BY id LIMIT ?"));
  if (address.empty())
    select.bind(after, limit);
  else
    select.bind(after, address, limit);
  return readKeys(select);
}

std::vector<std::string> MemberKeyStore::addressesThatTurned(TimePoint from, TimePoint to) const {
  auto select = database_.prepare(
      "SELECT address FROM member_keys WHERE not_before > ? AND not_before <= ? UNION "
      "SELECT address FROM member_keys WHERE not_after >= ? AND not_after < ?");
  // A certificate is valid up to and including its notAfter.
  select.bind(from, to, from, to);
  std::vector<std::string> addresses;
  while (select.step()) addresses.push_back(select.text(0));
  return addresses;
}

std::uint64_t MemberKeyStore::endingBefore(TimePoint now, TimePoint before) const {
  auto select = database_.prepare(
      "SELECT count(DISTINCT k.address) FROM member_keys k JOIN members m ON m.address = k.address WHERE "
      "k.not_after >= ? AND k.not_after < ? AND k.state = 'confirmed' AND m.state = 'enabled'");
  select.bind(now, before).step();
  return select.unsignedInteger(0);
}

}  // namespace postern::listd
