#include "webadmin/SessionStore.h"

#include "core/store/Migrator.h"
#include "webadmin/Embedded.h"
#include "webadmin/Tokens.h"

namespace postern::webadmin {

namespace {

// How stale the stored time of the last act may be: saves a write on most requests.
constexpr std::chrono::seconds TouchEvery{10};
constexpr std::size_t RefSize = 22;  // 132 of 256 bits: enough to name, too little to make the token from

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

std::string SessionStore::makeToken() {
  return tokens::random();
}

std::string SessionStore::refOf(std::string_view token) {
  return tokens::hash(token).substr(0, RefSize);
}

std::string SessionStore::open(std::string_view account, std::string_view role, std::string_view client,
                               std::string_view agent) {
  auto token = makeToken();
  openWith(token, account, role, client, agent);
  return token;
}

void SessionStore::openWith(std::string_view token, std::string_view account, std::string_view role,
                            std::string_view client, std::string_view agent) {
  const auto now = clock_.now();
  MutexLock lock(mutex_);
  deleteEnded(now);
  database_
      .prepare(
          "INSERT INTO sessions (token_hash, account, role, client, agent, created_at, last_seen_at)"
          " VALUES (?, ?, ?, ?, ?, ?, ?)")
      .bind(tokens::hash(token), account, role, client, agent, now, now)
      .run();
}

std::optional<Session> SessionStore::find(std::string_view token, Touch touch) {
  const auto hash = tokens::hash(token);
  const auto now = clock_.now();
  MutexLock lock(mutex_);
  Session session;
  {
    auto select = database_.prepare(
        "SELECT account, role, created_at, last_seen_at, client, agent FROM sessions WHERE token_hash = ?");
    if (!select.bind(hash).step()) return std::nullopt;
    session = {select.text(0),          select.text(1), select.time(2), select.time(3),
               hash.substr(0, RefSize), select.text(4), select.text(5)};
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

std::vector<Session> SessionStore::read(std::string_view where, std::string_view account) {
  std::string sql = "SELECT account, role, created_at, last_seen_at, token_hash, client, agent FROM sessions WHERE ";
  auto select = database_.prepare(sql.append(where).append(" ORDER BY last_seen_at DESC"));
  select.bind(account);
  std::vector<Session> sessions;
  while (select.step())
    sessions.push_back({select.text(0), select.text(1), select.time(2), select.time(3),
                        select.text(4).substr(0, RefSize), select.text(5), select.text(6)});
  std::erase_if(sessions, [now = clock_.now()](const Session& session) { return hasEnded(session, now); });
  return sessions;
}

std::vector<Session> SessionStore::allOf(std::string_view account) {
  MutexLock lock(mutex_);
  return read("account = ?", account);
}

std::vector<Session> SessionStore::all() {
  MutexLock lock(mutex_);
  return read("account <> ?", "");
}

bool SessionStore::closeRef(std::string_view account, std::string_view ref) {
  MutexLock lock(mutex_);
  if (ref.size() != RefSize) return false;
  database_.prepare("DELETE FROM sessions WHERE account = ? AND substr(token_hash, 1, ?) = ?")
      .bind(account, RefSize, ref)
      .run();
  return database_.changes() > 0;
}

void SessionStore::deleteEnded(TimePoint now) {
  database_.prepare("DELETE FROM sessions WHERE created_at <= ? OR last_seen_at <= ?")
      .bind(now - AbsoluteLimit, now - IdleLimit)
      .run();
}

}  // namespace postern::webadmin
