#include "core/store/Database.h"

#include "core/base/Error.h"
#include "core/base/Files.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/file.h>

#include <unordered_map>
#include <utility>
#include <vector>

namespace postern::store {

struct CachedStatement {
  sqlite3_stmt* handle = nullptr;
  bool inUse = false;
  ~CachedStatement() { sqlite3_finalize(handle); }
};

namespace {

bool isNoRoom(sqlite3* handle, int code) {
  if ((code & 0xff) == SQLITE_FULL) return true;
  const int system = (code & 0xff) == SQLITE_IOERR ? sqlite3_system_errno(handle) : 0;
  return system == ENOSPC || system == EDQUOT;
}

[[noreturn]] void failWith(sqlite3* handle, const std::string& doing) {
  const int code = sqlite3_extended_errcode(handle);
  const char* file = sqlite3_db_filename(handle, "main");
  throw Error(isNoRoom(handle, code) ? ErrorKind::DiskFull : ErrorKind::Store,
              "database " + std::string(file ? file : "") + ": cannot " + doing + ": " + sqlite3_errmsg(handle));
}

[[noreturn]] void failStatement(sqlite3_stmt* handle) {
  failWith(sqlite3_db_handle(handle), "run \"" + std::string(sqlite3_sql(handle)) + "\"");
}

struct TransparentHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
};

// SQLite counts what it allocates, under one lock for the whole process, and nobody asks for the count: a tenth of the
// time of many small statements. Refused, without harm, once SQLite is in use.
void countNoMemory() {
  static const int answer = sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
  static_cast<void>(answer);
}

// The file lock that keeps a second writer out; held as long as the connection.
FileDescriptor lockForWriting(const std::filesystem::path& path) {
  const auto lockPath = path.string() + ".lock";
  FileDescriptor lock(::open(lockPath.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!lock) throwErrno("create", lockPath);
  if (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0)
    throw Error(ErrorKind::Store, "database " + path.string() + " is already open for writing: is another Postern " +
                                      "process running on this data folder?");
  return lock;
}

}  // namespace

struct Database::Impl {
  std::filesystem::path path;
  FileDescriptor lock;
  sqlite3* handle = nullptr;
  std::chrono::milliseconds busyTimeout{0};
  std::unordered_map<std::string, std::vector<std::unique_ptr<CachedStatement>>, TransparentHash, std::equal_to<>>
      statements;

  ~Impl() {
    statements.clear();
    sqlite3_close_v2(handle);
  }
};

Statement::Statement(Statement&& other) noexcept : cached_(std::exchange(other.cached_, nullptr)) {}

Statement::~Statement() {
  if (!cached_) return;
  sqlite3_reset(cached_->handle);
  sqlite3_clear_bindings(cached_->handle);
  cached_->inUse = false;
}

void Statement::restart() {
  sqlite3_reset(cached_->handle);
  sqlite3_clear_bindings(cached_->handle);
}

void Statement::bindInteger(int index, std::int64_t value) {
  if (sqlite3_bind_int64(cached_->handle, index, value) != SQLITE_OK) failStatement(cached_->handle);
}

void Statement::bindReal(int index, double value) {
  if (sqlite3_bind_double(cached_->handle, index, value) != SQLITE_OK) failStatement(cached_->handle);
}

void Statement::bindText(int index, std::string_view value) {
  // A null pointer would bind NULL; the empty string is not NULL.
  const char* bytes = value.data() ? value.data() : "";
  const auto copy = SQLITE_TRANSIENT;  // NOLINT: SQLite's own cast
  if (sqlite3_bind_text64(cached_->handle, index, bytes, value.size(), copy, SQLITE_UTF8) != SQLITE_OK)
    failStatement(cached_->handle);
}

void Statement::bindBlob(int index, std::string_view value) {
  const char* bytes = value.data() ? value.data() : "";
  const auto copy = SQLITE_TRANSIENT;
  if (sqlite3_bind_blob64(cached_->handle, index, bytes, value.size(), copy) != SQLITE_OK)
    failStatement(cached_->handle);
}

void Statement::bindNull(int index) {
  if (sqlite3_bind_null(cached_->handle, index) != SQLITE_OK) failStatement(cached_->handle);
}

bool Statement::step() {
  switch (sqlite3_step(cached_->handle)) {
    case SQLITE_ROW:
      return true;
    case SQLITE_DONE:
      return false;
    default:
      failStatement(cached_->handle);
  }
}

void Statement::run() {
  while (step()) {
  }
  sqlite3_reset(cached_->handle);
}

bool Statement::isNull(int column) const {
  return sqlite3_column_type(cached_->handle, column) == SQLITE_NULL;
}
std::int64_t Statement::integer(int column) const {
  return sqlite3_column_int64(cached_->handle, column);
}
double Statement::real(int column) const {
  return sqlite3_column_double(cached_->handle, column);
}

std::string_view Statement::view(int column) const {
  const void* bytes = sqlite3_column_blob(cached_->handle, column);
  const int size = sqlite3_column_bytes(cached_->handle, column);
  return bytes ? std::string_view(static_cast<const char*>(bytes), static_cast<std::size_t>(size)) : std::string_view();
}

Database::Database(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Database::Database(Database&&) noexcept = default;
Database& Database::operator=(Database&&) noexcept = default;
Database::~Database() = default;

Database Database::openWriter(const std::filesystem::path& path, const WriterOptions& options) {
  countNoMemory();
  auto impl = std::make_unique<Impl>();
  impl->path = path;
  impl->lock = lockForWriting(path);
  // SQLite would create the file with the umask; it holds metadata of mail.
  FileDescriptor created(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!created) throwErrno("create", path);
  created.reset();
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  if (sqlite3_open_v2(path.c_str(), &impl->handle, flags, nullptr) != SQLITE_OK) failWith(impl->handle, "open");
  Database database(std::move(impl));
  database.impl_->busyTimeout = options.busyTimeout;
  database.execute("PRAGMA busy_timeout=" + std::to_string(options.busyTimeout.count()));
  database.execute("PRAGMA journal_mode=WAL");
  database.execute(options.synchronous == Synchronous::Full ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=NORMAL");
  database.execute(options.secureDelete ? "PRAGMA secure_delete=ON" : "PRAGMA secure_delete=OFF");
  // Temporary tables and statement journals stay in memory: they could hold what must not rest in clear, and a confined
  // process cannot make them.
  database.execute("PRAGMA foreign_keys=ON; PRAGMA trusted_schema=OFF; PRAGMA temp_store=MEMORY");
  auto mode = database.prepare("PRAGMA journal_mode");
  if (!mode.step() || mode.view(0) != "wal")
    throw Error(ErrorKind::Store,
                "database " + path.string() + " cannot be switched to WAL: is the file system local?");
  return database;
}

Database Database::openReader(const std::filesystem::path& path, std::chrono::milliseconds busyTimeout) {
  countNoMemory();
  auto impl = std::make_unique<Impl>();
  impl->path = path;
  // Read-write, because a reader of a WAL database maintains the shared-memory file; query_only forbids the rest.
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  if (sqlite3_open_v2(path.c_str(), &impl->handle, flags, nullptr) != SQLITE_OK) failWith(impl->handle, "open");
  sqlite3_db_config(impl->handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  Database database(std::move(impl));
  database.impl_->busyTimeout = busyTimeout;
  database.execute("PRAGMA busy_timeout=" + std::to_string(busyTimeout.count()));
  database.execute(
      "PRAGMA wal_autocheckpoint=0; PRAGMA trusted_schema=OFF; PRAGMA temp_store=MEMORY; PRAGMA query_only=ON");
  return database;
}

Statement Database::prepare(std::string_view sql) {
  auto found = impl_->statements.find(sql);
  if (found == impl_->statements.end()) found = impl_->statements.try_emplace(std::string(sql)).first;
  for (const auto& cached : found->second) {
    if (cached->inUse) continue;
    cached->inUse = true;
    return Statement(cached.get());
  }
  auto fresh = std::make_unique<CachedStatement>();
  const char* rest = nullptr;
  if (sqlite3_prepare_v3(impl_->handle, sql.data(), static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT,
                         &fresh->handle, &rest) != SQLITE_OK)
    failWith(impl_->handle, "prepare \"" + std::string(sql) + "\"");
  const auto tail = std::string_view(rest, static_cast<std::size_t>(sql.data() + sql.size() - rest));
  if (!fresh->handle || tail.find_first_not_of(" \t\r\n;") != std::string_view::npos)
    throw Error(ErrorKind::Invariant, "not exactly one SQL statement: " + std::string(sql));
  fresh->inUse = true;
  found->second.push_back(std::move(fresh));
  return Statement(found->second.back().get());
}

void Database::execute(std::string_view script) {
  const std::string text(script);
  if (sqlite3_exec(impl_->handle, text.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK)
    failWith(impl_->handle, "run a script starting \"" + text.substr(0, 80) + "\"");
}

std::int64_t Database::lastInsertId() const {
  return sqlite3_last_insert_rowid(impl_->handle);
}
std::uint64_t Database::changes() const {
  return static_cast<std::uint64_t>(sqlite3_changes64(impl_->handle));
}
std::uint64_t Database::totalChanges() const {
  return static_cast<std::uint64_t>(sqlite3_total_changes64(impl_->handle));
}
bool Database::inTransaction() const {
  return sqlite3_get_autocommit(impl_->handle) == 0;
}
const std::filesystem::path& Database::path() const {
  return impl_->path;
}

bool Database::checkpoint(std::optional<std::chrono::milliseconds> wait) {
  if (wait) sqlite3_busy_timeout(impl_->handle, static_cast<int>(wait->count()));
  const int code = sqlite3_wal_checkpoint_v2(impl_->handle, nullptr, SQLITE_CHECKPOINT_TRUNCATE, nullptr, nullptr);
  if (wait) sqlite3_busy_timeout(impl_->handle, static_cast<int>(impl_->busyTimeout.count()));
  if ((code & 0xff) == SQLITE_BUSY || (code & 0xff) == SQLITE_LOCKED) return false;
  if (code != SQLITE_OK) failWith(impl_->handle, "move the write-ahead log into the file");
  return true;
}

void Database::backupTo(const std::filesystem::path& target) {
  const auto temporary = target.string() + ".new";
  std::filesystem::remove(temporary);
  {
    FileDescriptor created(::open(temporary.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (!created) throwErrno("create", temporary);
  }
  sqlite3* copy = nullptr;
  const int opened = sqlite3_open_v2(temporary.c_str(), &copy, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, nullptr);
  const std::unique_ptr<sqlite3, int (*)(sqlite3*)> owner(copy, &sqlite3_close_v2);
  if (opened != SQLITE_OK) failWith(copy, "open");
  sqlite3_backup* backup = sqlite3_backup_init(copy, "main", impl_->handle, "main");
  if (!backup) failWith(copy, "start a copy");
  sqlite3_backup_step(backup, -1);
  if (sqlite3_backup_finish(backup) != SQLITE_OK) failWith(copy, "make a copy");
  FileDescriptor written(::open(temporary.c_str(), O_RDONLY | O_CLOEXEC));
  if (!written || ::fsync(written.get()) != 0) throwErrno("sync", temporary);
  if (::rename(temporary.c_str(), target.c_str()) != 0) throwErrno("rename", temporary);
  files::syncFolder(target.has_parent_path() ? target.parent_path() : ".");
}

std::optional<std::string> Database::findFault() {
  auto check = prepare("PRAGMA quick_check(1)");
  if (check.step() && check.view(0) != "ok") return check.text(0);
  return std::nullopt;
}

Transaction::Transaction(Database& database, Kind kind) : database_(database) {
  database_.prepare(kind == Kind::Write ? "BEGIN IMMEDIATE" : "BEGIN").run();
}

Transaction::~Transaction() {
  if (!open_ || !database_.inTransaction()) return;  // SQLite rolls back by itself on some errors
  try {
    database_.prepare("ROLLBACK").run();
  } catch (const Error&) {
    // A destructor cannot throw. The connection stays inside the transaction, so the next BEGIN says what is wrong.
  }
}

void Transaction::commit() {
  database_.prepare("COMMIT").run();
  open_ = false;
}

Savepoint::Savepoint(Database& database) : database_(database) {
  database_.prepare("SAVEPOINT job").run();
}

Savepoint::~Savepoint() {
  if (!open_ || !database_.inTransaction()) return;
  try {
    database_.prepare("ROLLBACK TO job").run();
    database_.prepare("RELEASE job").run();
  } catch (const Error&) {
    // As above: the COMMIT that follows fails and with it the whole batch.
  }
}

void Savepoint::release() {
  database_.prepare("RELEASE job").run();
  open_ = false;
}

}  // namespace postern::store
