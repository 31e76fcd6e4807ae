#include "listd/site/LedgerStore.h"

#include "core/base/Error.h"

namespace postern::listd {
namespace {

using Kind = app::Copy::Kind;

const char* kindWord(Kind kind) {
  switch (kind) {
    case Kind::Content:
      return "content";
    case Kind::Notice:
      return "notice";
    case Kind::Report:
      return "report";
  }
  throw Error(ErrorKind::Invariant, "a copy has an unknown kind");
}

Kind parseKind(std::string_view word) {
  for (const auto kind : {Kind::Content, Kind::Notice, Kind::Report})
    if (word == kindWord(kind)) return kind;
  throw Error(ErrorKind::Store, "a ledger row in site.db has the unknown kind " + std::string(word));
}

CopyState parseCopyState(std::string_view word) {
  for (const auto state : {CopyState::Planned, CopyState::Delivered, CopyState::Deferred, CopyState::Failed,
                           CopyState::Expired, CopyState::Dropped, CopyState::Withheld})
    if (word == copyStateWord(state)) return state;
  throw Error(ErrorKind::Store, "a ledger row in site.db has the unknown state " + std::string(word));
}

LedgerRow readRow(const store::Statement& row) {
  LedgerRow result;
  result.id = row.unsignedInteger(0);
  result.postId = row.unsignedInteger(1);
  result.kind = parseKind(row.view(2));
  result.recipient = row.text(3);
  result.protection = row.text(4);
  result.reason = row.text(5);
  result.keyFingerprint = row.text(6);
  result.state = parseCopyState(row.view(7));
  result.attempts = static_cast<std::uint32_t>(row.integer(8));
  result.deliveredAt = row.time(9);
  return result;
}

}  // namespace

const char* copyStateWord(CopyState state) {
  switch (state) {
    case CopyState::Planned:
      return "planned";
    case CopyState::Delivered:
      return "delivered";
    case CopyState::Deferred:
      return "deferred";
    case CopyState::Failed:
      return "failed";
    case CopyState::Expired:
      return "expired";
    case CopyState::Dropped:
      return "dropped";
    case CopyState::Withheld:
      return "withheld";
  }
  throw Error(ErrorKind::Invariant, "a copy has an unknown state");
}

void LedgerStore::add(const LedgerRow& row) {
  database_
      .prepare(
          "INSERT INTO ledger (id, post_id, kind, recipient, protection, reason, key_fingerprint, state) VALUES "
          "(?, ?, ?, ?, ?, ?, ?, ?)")
      .bind(row.id, row.postId, kindWord(row.kind), row.recipient, row.protection, row.reason, row.keyFingerprint,
            copyStateWord(row.state))
      .run();
}

std::optional<LedgerRow> LedgerStore::find(std::uint64_t id) const {
  auto select = database_.prepare(
      "SELECT id, post_id, kind, recipient, protection, reason, key_fingerprint, state, attempts, delivered_at FROM "
      "ledger WHERE id = ?");
  if (!select.bind(id).step()) return std::nullopt;
  return readRow(select);
}

std::vector<RowToSend> LedgerStore::toSend(std::uint64_t postId, std::uint64_t after, std::uint32_t limit,
                                           TimePoint now) const {
  auto select = database_.prepare(
      "SELECT g.id, g.post_id, g.kind, g.recipient, g.protection, g.reason, g.key_fingerprint, g.state, g.attempts, "
      "g.delivered_at, k.state, k.verdict, k.not_before, k.not_after, k.recipient_key, k.kind, coalesce(m.id, 0) FROM "
      "ledger g "
      "LEFT JOIN member_keys k ON k.address = g.recipient AND k.fingerprint = g.key_fingerprint "
      "LEFT JOIN members m ON m.list_id = (SELECT list_id FROM posts WHERE id = ?1) AND m.address = g.recipient "
      "WHERE g.post_id = ?1 AND g.id > ?2 AND g.state = 'planned' ORDER BY g.id LIMIT ?3");
  select.bind(postId, after, limit);
  std::vector<RowToSend> rows;
  while (select.step()) {
    auto& row = rows.emplace_back();
    row.row = readRow(select);
    row.row.memberId = select.unsignedInteger(16);
    if (select.isNull(10)) continue;
    const KeyFacts key{row.row.keyFingerprint,
                       parseKeyState(select.view(10)),
                       parseReason(select.view(11)).value_or(Reason::UnsupportedKey),
                       select.time(12),
                       select.time(13),
                       parseKeyKind(select.view(15))};
    // A key of the other kind would not open the copy.
    row.keyReason = row.row.protection == keyKindWord(key.kind) ? judgeKey(key, now) : Reason::UnsupportedKey;
    row.recipientKey = select.blob(14);
  }
  return rows;
}

std::map<std::string, std::uint64_t> LedgerStore::planOf(std::uint64_t postId) const {
  auto select = database_.prepare(
      "SELECT protection, count(*) FROM ledger WHERE post_id = ? AND kind = 'content' GROUP BY protection");
  select.bind(postId);
  std::map<std::string, std::uint64_t> counts;
  while (select.step()) counts[select.text(0)] = select.unsignedInteger(1);
  return counts;
}

bool LedgerStore::isPlanned(std::uint64_t id) const {
  return database_.prepare("SELECT 1 FROM ledger WHERE id = ? AND state = 'planned'").bind(id).step();
}

void LedgerStore::setState(std::uint64_t id, CopyState state, std::uint32_t attempts,
                           std::optional<TimePoint> deliveredAt) {
  database_
      .prepare(
          "UPDATE ledger SET state = ?, attempts = max(attempts, ?), delivered_at = coalesce(?, delivered_at) "
          "WHERE id = ?")
      .bind(copyStateWord(state), attempts, deliveredAt, id)
      .run();
}

std::vector<LedgerRow> LedgerStore::waitingForTls(std::uint64_t postId, std::uint64_t after,
                                                  std::uint32_t limit) const {
  auto select = database_.prepare(
      "SELECT id, post_id, kind, recipient, protection, reason, key_fingerprint, state, attempts, delivered_at FROM "
      "ledger WHERE protection = 'tls' AND kind = 'content' AND state IN ('planned', 'deferred') AND post_id = ? AND "
      "id > ? ORDER BY id LIMIT ?");
  select.bind(postId, after, limit);
  std::vector<LedgerRow> rows;
  while (select.step()) rows.push_back(readRow(select));
  return rows;
}

std::vector<std::uint64_t> LedgerStore::postsWaitingForTls(TimePoint plannedBefore) const {
  auto select = database_.prepare(
      "SELECT DISTINCT g.post_id FROM ledger g JOIN posts p ON p.id = g.post_id WHERE g.protection = 'tls' AND g.kind "
      "= "
      "'content' AND g.state IN ('planned', 'deferred') AND p.planned_at <= ?");
  select.bind(plannedBefore);
  std::vector<std::uint64_t> posts;
  while (select.step()) posts.push_back(select.unsignedInteger(0));
  return posts;
}

void LedgerStore::askBack(std::uint64_t id, TimePoint now) {
  database_.prepare("INSERT INTO takebacks (ledger_id, asked_at) VALUES (?, ?) ON CONFLICT DO NOTHING")
      .bind(id, now)
      .run();
}

bool LedgerStore::isAskedBack(std::uint64_t id) const {
  return database_.prepare("SELECT 1 FROM takebacks WHERE ledger_id = ?").bind(id).step();
}

void LedgerStore::endAskBack(std::uint64_t id) {
  database_.prepare("DELETE FROM takebacks WHERE ledger_id = ?").bind(id).run();
}

void LedgerStore::withhold(std::uint64_t id, Reason reason) {
  database_.prepare("UPDATE ledger SET state = 'withheld', protection = 'withheld', reason = ? WHERE id = ?")
      .bind(reasonWord(reason), id)
      .run();
}

bool LedgerStore::addAttempt(std::uint64_t id, const Attempt& attempt) {
  database_
      .prepare(
          "INSERT INTO attempts (ledger_id, attempt, outcome, at, remote_host, remote_address, reply_code, "
          "reply_text, tls_version, tls_cipher, tls_bits, tls_verification, tls_peer_name) VALUES (?, ?, ?, ?, ?, "
          "?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING")
      .bind(id, attempt.attempt, attempt.outcome, attempt.at, attempt.remoteHost, attempt.remoteAddress,
            attempt.replyCode, attempt.replyText, attempt.tls.version, attempt.tls.cipher, attempt.tls.bits,
            attempt.tls.verification, attempt.tls.peerName)
      .run();
  return database_.changes() > 0;
}

std::vector<LedgerRow> LedgerStore::contentOf(std::uint64_t postId, std::string_view recipient, std::uint64_t after,
                                              std::uint32_t limit) const {
  auto select = database_.prepare(
      std::string("SELECT id, post_id, kind, recipient, protection, reason, key_fingerprint, state, attempts, "
                  "delivered_at FROM ledger WHERE post_id = ?1 AND id > ?2 AND kind = 'content' ") +
      (recipient.empty() ? "AND ?4 = '' " : "AND recipient = ?4 ") + "ORDER BY id LIMIT ?3");
  select.bind(postId, after, limit, recipient);
  std::vector<LedgerRow> rows;
  while (select.step()) rows.push_back(readRow(select));
  return rows;
}

std::vector<LedgerRow> LedgerStore::page(std::uint64_t postId, std::uint64_t after, std::uint32_t limit) const {
  auto select = database_.prepare(
      "SELECT id, post_id, kind, recipient, protection, reason, key_fingerprint, state, attempts, delivered_at FROM "
      "ledger WHERE post_id = ? AND id > ? ORDER BY id LIMIT ?");
  select.bind(postId, after, limit);
  std::vector<LedgerRow> rows;
  while (select.step()) rows.push_back(readRow(select));
  return rows;
}

std::vector<Attempt> LedgerStore::attemptsOf(std::uint64_t id) const {
  auto select = database_.prepare(
      "SELECT attempt, outcome, at, remote_host, remote_address, reply_code, reply_text, tls_version, tls_cipher, "
      "tls_bits, tls_verification, tls_peer_name FROM attempts WHERE ledger_id = ? ORDER BY at, attempt");
  select.bind(id);
  std::vector<Attempt> attempts;
  while (select.step()) {
    auto& attempt = attempts.emplace_back();
    attempt.attempt = static_cast<std::uint32_t>(select.integer(0));
    attempt.outcome = select.text(1);
    attempt.at = select.time(2);
    attempt.remoteHost = select.text(3);
    attempt.remoteAddress = select.text(4);
    attempt.replyCode = static_cast<std::uint16_t>(select.integer(5));
    attempt.replyText = select.text(6);
    attempt.tls = {select.text(7), select.text(8), static_cast<std::uint16_t>(select.integer(9)), select.text(10),
                   select.text(11)};
  }
  return attempts;
}

}  // namespace postern::listd
