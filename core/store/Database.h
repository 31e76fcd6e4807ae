#pragma once
#include "core/base/Clock.h"

#include <chrono>
#include <concepts>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

namespace postern::store {

struct CachedStatement;

// Bytes to bind as a BLOB; a plain string_view binds as TEXT.
struct Blob {
  std::string_view bytes;
};

// A prepared statement borrowed from its Database's cache; goes back there, reset, when it dies.
// Parameters and columns count from 1 and from 0, as in SQLite. Must not outlive its Database.
// Threads: those of its Database. Errors: Error(Store), or Error(DiskFull) when there is no room.
//
//   auto select = db.prepare("SELECT name FROM lists WHERE id = ?");
//   if (select.bind(id).step()) use(select.text(0));
class Statement {
public:
  Statement(Statement&& other) noexcept;
  Statement& operator=(Statement&&) = delete;
  ~Statement();

  // Binds all parameters in order: integers, bool, enums, double, text, Blob, TimePoint (microseconds), nullptr, and
  // optional of these. 64-bit unsigned values keep their bits. Starts the statement afresh.
  template <class... Values>
  Statement& bind(const Values&... values) {
    restart();
    int index = 0;
    (bindAny(++index, values), ...);
    return *this;
  }

  bool step();  // true: there is a row
  void run();   // steps to the end and resets, for statements whose rows do not matter

  bool isNull(int column) const;
  std::int64_t integer(int column) const;
  std::uint64_t unsignedInteger(int column) const { return static_cast<std::uint64_t>(integer(column)); }
  bool boolean(int column) const { return integer(column) != 0; }
  double real(int column) const;
  TimePoint time(int column) const { return fromMicros(integer(column)); }
  std::string_view view(int column) const;  // text or blob; valid until the next step
  std::string text(int column) const { return std::string(view(column)); }
  std::string blob(int column) const { return std::string(view(column)); }

private:
  friend class Database;
  explicit Statement(CachedStatement* cached) : cached_(cached) {}

  void restart();
  void bindInteger(int index, std::int64_t value);
  void bindReal(int index, double value);
  void bindText(int index, std::string_view value);
  void bindBlob(int index, std::string_view value);
  void bindNull(int index);

  template <class Int>
  requires std::integral<Int>
  void bindAny(int index, Int value) { bindInteger(index, static_cast<std::int64_t>(value)); }
  template <class Enum>
  requires std::is_enum_v<Enum>
  void bindAny(int index, Enum value) { bindInteger(index, static_cast<std::int64_t>(value)); }
  void bindAny(int index, double value) { bindReal(index, value); }
  void bindAny(int index, std::string_view value) { bindText(index, value); }
  void bindAny(int index, const std::string& value) { bindText(index, value); }
  void bindAny(int index, const char* value) { bindText(index, value); }
  void bindAny(int index, Blob value) { bindBlob(index, value.bytes); }
  void bindAny(int index, TimePoint value) { bindInteger(index, toMicros(value)); }
  void bindAny(int index, std::nullptr_t) { bindNull(index); }
  template <class T>
  void bindAny(int index, const std::optional<T>& value) {
    if (value)
      bindAny(index, *value);
    else
      bindNull(index);
  }

  CachedStatement* cached_;  // null: moved from
};

// One connection to an SQLite file in WAL mode.
// Invariants: 1. a file has one writing connection in the whole site (the first openWriter holds a lock beside the
// file, a second one is refused), which also makes all checkpoints; 2. readers never write (query_only) and never
// checkpoint (wal_autocheckpoint=0). SQLite 3.40 can damage a WAL that two connections write, hence both.
// Threads: one at a time. Errors: Error(Store), Error(DiskFull).
class Database {
public:
  enum class Synchronous { Full, Normal };  // Full: durable at COMMIT. Normal: consistent, the last commits may be lost
  struct WriterOptions {
    Synchronous synchronous = Synchronous::Full;
    bool secureDelete = true;  // deleted rows are overwritten with zeros
    std::chrono::milliseconds busyTimeout{5000};
  };

  static Database openWriter(const std::filesystem::path& path, const WriterOptions& options);
  static Database openWriter(const std::filesystem::path& path) { return openWriter(path, WriterOptions()); }
  static Database openReader(const std::filesystem::path& path,
                             std::chrono::milliseconds busyTimeout = std::chrono::milliseconds(5000));
  Database(Database&&) noexcept;
  Database& operator=(Database&&) noexcept;
  ~Database();

  // A statement from the cache, or a new one. The SQL text is trusted: never build it from outside input.
  Statement prepare(std::string_view sql);
  // Runs statements without parameters and rows: a script.
  void execute(std::string_view script);

  std::int64_t lastInsertId() const;
  std::uint64_t changes() const;  // rows changed by the last INSERT, UPDATE or DELETE
  // Rows changed through this connection since it was opened, by triggers too: unchanged means that none was.
  std::uint64_t totalChanges() const;
  bool inTransaction() const;

  // Moves the WAL into the file and truncates it; false when readers were in the way for as long as it waits for them.
  bool checkpoint(std::optional<std::chrono::milliseconds> wait = {});  // nothing: the busy timeout of the connection
  // Writes a consistent copy to a new file, synced.
  void backupTo(const std::filesystem::path& target);
  // The first fault that PRAGMA quick_check finds, or nothing.
  std::optional<std::string> findFault();

  const std::filesystem::path& path() const;

private:
  struct Impl;
  explicit Database(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// BEGIN IMMEDIATE (writer) or BEGIN (reader: one snapshot for several reads); rolls back unless commit() was reached.
class Transaction {
public:
  enum class Kind { Write, Read };
  explicit Transaction(Database& database, Kind kind = Kind::Write);
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  void commit();

private:
  Database& database_;
  bool open_ = true;
};

// A part of a transaction that can fail alone; rolls back to its start unless release() was reached.
class Savepoint {
public:
  explicit Savepoint(Database& database);
  ~Savepoint();
  Savepoint(const Savepoint&) = delete;
  Savepoint& operator=(const Savepoint&) = delete;
  void release();

private:
  Database& database_;
  bool open_ = true;
};

}  // namespace postern::store
