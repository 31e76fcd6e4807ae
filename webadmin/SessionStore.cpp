#include "webadmin/SessionStore.h"

#include "core/store/Migrator.h"
#include "webadmin/Embedded.h"
#include "webadmin/Tokens.h"

namespace postern::webadmin {

namespace {

// How stale the stored time of the last act may be: saves a write on most requests.
constexpr std::chrono::seconds TouchEvery{10};

bool hasEnded(const Session& session, TimePoint now) {
  // A clock that was set back must not lengthen a session.
  return now < session.createdAt || now - session.createdAt >= SessionStore::AbsoluteLimit ||
         now - session.lastSeenAt >= SessionStore::IdleLimit;
}

store::Database openDatabase(const std::filesystem::path& path) {
  // A power cut may sign people out; it can lose nothing else here.
  auto database = store::Database::openWriter(path, {.synchronous = store::Database::Synchronous::Normal});
  store::Migrator(embedded::all()).migrate(database);
  return database;
}

}  // namespace

app::Roles Session::roles() const {
  app::Roles roles;
  std::string_view rest = role;
  while (!rest.empty()) {
    const auto end = std::min(rest.find(','), rest.size());
    if (const auto known = app::roleFromWord(rest.substr(0, end))) roles = roles | *known;
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return roles;
}

SessionStore::SessionStore(const std::filesystem::path& database, const Clock& clock)
    : clock_(clock), database_(openDatabase(database)) {}

std::string SessionStore::open(std::string_view account, std::string_view role, std::string_view client) {
  const auto token = tokens::random();
  const auto now = clock_.now();
  MutexLock lock(mutex_);
  deleteEnded(now);
  database_
      .prepare(
          "INSERT INTO sessions (token_hash, account, role, client, created_at, last_seen_at)"
          " VALUES (?, ?, ?, ?, ?, ?)")
      .bind(tokens::hash(token), account, role, client, now, now)
      .run();
  return token;
}

std::optional<Session> SessionStore::find(std::string_view token, Touch touch) {
  const auto hash = tokens::hash(token);
  const auto now = clock_.now();
  MutexLock lock(mutex_);
  Session session;
  {
    auto select =
        database_.prepare("SELECT account, role, created_at, last_seen_at FROM sessions WHERE token_hash = ?");
    if (!select.bind(hash).step()) return std::nullopt;
    session = {select.text(0), select.text(1), select.time(2), select.time(3)};
  }
  if (hasEnded(session, now)) {
    database_.prepare("DELETE FROM sessions WHERE token_hash = ?").bind(hash).run();
    return std::nullopt;
  }
  if (touch == Touch::Yes && now - session.lastSeenAt >= TouchEvery) {
    database_.prepare("UPDATE sessions SET last_seen_at = ? WHERE token_hash = ?").bind(now, hash).run();
    session.lastSeenAt = now;
  }
  return session;
}

void SessionStore::close(std::string_view token) {
  MutexLock lock(mutex_);
  database_.prepare("DELETE FROM sessions WHERE token_hash = ?").bind(tokens::hash(token)).run();
}

void SessionStore::closeAllOf(std::string_view account) {
  MutexLock lock(mutex_);
  database_.prepare("DELETE FROM sessions WHERE account = ?").bind(account).run();
}

void SessionStore::deleteEnded(TimePoint now) {
  database_.prepare("DELETE FROM sessions WHERE created_at <= ? OR last_seen_at <= ?")
      .bind(now - AbsoluteLimit, now - IdleLimit)
      .run();
}

}  // namespace postern::webadmin
