#include "listd/people/SessionStore.h"

#include "core/crypto/Digest.h"
#include "core/crypto/Encoding.h"
#include "core/crypto/Random.h"

#include <algorithm>

namespace postern::listd {
namespace {

constexpr std::size_t SecretBytes = 32;
constexpr std::size_t RefBytes = 16;
constexpr std::string_view Columns =
    "SELECT ref, subject_kind, subject, client, agent, created_at, last_seen_at, stepped_up_at FROM sessions WHERE ";

const char* wordOf(SubjectKind kind) {
  return kind == SubjectKind::Account ? "account" : "recipient";
}

std::string hashOf(std::string_view secret) {
  return crypto::hex(crypto::sha256(secret));
}

Session readSession(const store::Statement& row) {
  return {row.text(0), row.text(1) == "account" ? SubjectKind::Account : SubjectKind::Recipient,
          row.text(2), row.text(3),
          row.text(4), row.time(5),
          row.time(6), row.time(7)};
}

bool hasEnded(const Session& session, TimePoint now) {
  // A clock that was set back must not lengthen a session.
  return now < session.createdAt || now - session.createdAt >= app::SessionAbsoluteLimit ||
         now - session.lastSeenAt >= app::SessionIdleLimit;
}

std::vector<Session> readAll(store::Statement& select, TimePoint now) {
  std::vector<Session> sessions;
  while (select.step()) sessions.push_back(readSession(select));
  std::erase_if(sessions, [now](const Session& session) { return hasEnded(session, now); });
  return sessions;
}

}  // namespace

SessionStore::Opened SessionStore::open(SubjectKind kind, std::string_view subject, std::string_view client,
                                        std::string_view agent, TimePoint now) {
  Opened opened{crypto::randomToken(SecretBytes), crypto::randomToken(RefBytes)};
  database_
      .prepare(
          "INSERT INTO sessions (secret_hash, ref, subject_kind, subject, client, agent, created_at, last_seen_at)"
          " VALUES (?, ?, ?, ?, ?, ?, ?, ?)")
      .bind(hashOf(opened.secret), opened.ref, wordOf(kind), subject, client, agent, now, now)
      .run();
  return opened;
}

std::optional<Session> SessionStore::find(std::string_view secret, TimePoint now) const {
  if (secret.empty()) return std::nullopt;
  static const std::string sql = std::string(Columns) + "secret_hash = ?";
  auto select = database_.prepare(sql);
  if (!select.bind(hashOf(secret)).step()) return std::nullopt;
  auto session = readSession(select);
  if (hasEnded(session, now)) return std::nullopt;
  return session;
}

void SessionStore::recordAct(std::string_view ref, TimePoint now) {
  database_.prepare("UPDATE sessions SET last_seen_at = ? WHERE ref = ? AND last_seen_at < ?")
      .bind(now, ref, now)
      .run();
}

void SessionStore::recordStepUp(std::string_view ref, TimePoint now) {
  database_.prepare("UPDATE sessions SET stepped_up_at = ? WHERE ref = ?").bind(now, ref).run();
}

bool SessionStore::end(SubjectKind kind, std::string_view subject, std::string_view ref) {
  database_.prepare("DELETE FROM sessions WHERE subject_kind = ? AND subject = ? AND ref = ?")
      .bind(wordOf(kind), subject, ref)
      .run();
  return database_.changes() > 0;
}

std::size_t SessionStore::endAll(SubjectKind kind, std::string_view subject, std::string_view butRef) {
  database_.prepare("DELETE FROM sessions WHERE subject_kind = ? AND subject = ? AND ref <> ?")
      .bind(wordOf(kind), subject, butRef)
      .run();
  return database_.changes();
}

std::vector<Session> SessionStore::of(SubjectKind kind, std::string_view subject, TimePoint now) const {
  auto select =
      database_.prepare(std::string(Columns) + "subject_kind = ? AND subject = ? ORDER BY last_seen_at DESC, ref");
  select.bind(wordOf(kind), subject);
  return readAll(select, now);
}

std::vector<Session> SessionStore::all(SubjectKind kind, TimePoint now) const {
  auto select = database_.prepare(std::string(Columns) + "subject_kind = ? ORDER BY last_seen_at DESC, ref");
  select.bind(wordOf(kind));
  return readAll(select, now);
}

void SessionStore::sweep(TimePoint now) {
  database_.prepare("DELETE FROM sessions WHERE created_at <= ? OR last_seen_at <= ?")
      .bind(now - app::SessionAbsoluteLimit, now - app::SessionIdleLimit)
      .run();
}

}  // namespace postern::listd
