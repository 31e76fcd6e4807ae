#include "listd/site/MemberKeyStore.h"

namespace postern::listd {
namespace {

std::string rowsWhere(std::string_view rest) {
  std::string sql =
      "SELECT id, address, kind, fingerprint, state, verdict, not_before, not_after, algorithm, bits, subject, issuer, "
      "added_at, recipient_key, certificate, origin, mailbox_proven FROM member_keys WHERE ";
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
  return key;
}

std::vector<MemberKey> readKeys(store::Statement& select) {
  std::vector<MemberKey> keys;
  while (select.step()) keys.push_back(readKey(select));
  return keys;
}

}  // namespace

void MemberKeyStore::add(const MemberKey& key) {
  database_
      .prepare(
          "INSERT INTO member_keys (address, kind, fingerprint, state, verdict, not_before, not_after, algorithm, "
          "bits, subject, issuer, added_at, recipient_key, certificate, origin, mailbox_proven) VALUES (?, ?, ?, ?, "
          "?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
      .bind(key.address, keyKindWord(key.facts.kind), key.facts.fingerprint, keyStateWord(key.facts.state),
            reasonWord(key.facts.verdict), key.facts.notBefore, key.facts.notAfter, key.algorithm, key.bits,
            key.subject, key.issuer, key.addedAt, store::Blob{key.recipientKey}, store::Blob{key.certificate},
            key.origin, key.mailboxProven ? 1 : 0)
      .run();
}

void MemberKeyStore::replaceVerdict(const MemberKey& key) {
  database_
      .prepare(
          "UPDATE member_keys SET state = ?, verdict = ?, not_before = ?, not_after = ?, recipient_key = ?, "
          "certificate "
          "= ? WHERE address = ? AND fingerprint = ?")
      .bind(keyStateWord(key.facts.state), reasonWord(key.facts.verdict), key.facts.notBefore, key.facts.notAfter,
            store::Blob{key.recipientKey}, store::Blob{key.certificate}, key.address, key.facts.fingerprint)
      .run();
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
