#include "core/store/Migrator.h"

#include "core/base/Clock.h"
#include "core/base/Error.h"
#include "core/base/Log.h"
#include "core/crypto/Digest.h"
#include "core/crypto/Encoding.h"

#include <algorithm>
#include <charconv>

namespace postern::store {

namespace {

// "migrations/0003_ledger.sql" -> 3
int versionOf(std::string_view path) {
  const auto name = path.substr(path.rfind('/') + 1);
  int version = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), version);
  if (error != std::errc() || end != name.data() + 4 || *end != '_')
    throw Error(ErrorKind::Invariant, "migration " + std::string(path) + " is not named NNNN_what.sql");
  return version;
}

bool hasTable(Database& database, std::string_view name) {
  auto select = database.prepare("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?");
  return select.bind(name).step();
}

}  // namespace

Migrator::Migrator(std::span<const EmbeddedFile> scripts) {
  for (const auto& file : scripts) {
    if (!file.path.ends_with(".sql")) continue;
    scripts_.push_back({versionOf(file.path), std::string(file.path.substr(file.path.rfind('/') + 1)), file.content,
                        crypto::hex(crypto::sha256(file.content))});
  }
  std::sort(scripts_.begin(), scripts_.end(), [](const Script& a, const Script& b) { return a.version < b.version; });
  for (std::size_t i = 0; i < scripts_.size(); ++i)
    if (scripts_[i].version != static_cast<int>(i) + 1)
      throw Error(ErrorKind::Invariant, "migrations do not number on at " + scripts_[i].name);
}

int Migrator::migrate(Database& database) const {
  const auto file = database.path().string();
  int applied = 0;
  if (hasTable(database, "schema_migrations")) {
    auto rows = database.prepare("SELECT version, name, checksum FROM schema_migrations ORDER BY version");
    while (rows.step()) {
      const auto version = rows.integer(0);
      if (version > static_cast<std::int64_t>(scripts_.size()))
        throw Error(ErrorKind::Store, "database " + file + " has schema " + std::to_string(version) + " (" +
                                          rows.text(1) + "), this program knows up to " +
                                          std::to_string(scripts_.size()) +
                                          ": start the newer Postern, or restore the copy made before the update");
      if (version != applied + 1 || rows.view(2) != scripts_[static_cast<std::size_t>(applied)].checksum)
        throw Error(ErrorKind::Store, "database " + file + ": migration " + rows.text(1) +
                                          " was applied in another form than this program has: it was edited after "
                                          "release, or the database is not of this product");
      ++applied;
    }
  }
  if (applied == static_cast<int>(scripts_.size())) return 0;
  if (applied > 0) {
    const auto number = scripts_[static_cast<std::size_t>(applied)].name.substr(0, 4);
    database.backupTo(file + ".before-" + number);
  }
  const int before = applied;
  for (; applied < static_cast<int>(scripts_.size()); ++applied) {
    const auto& script = scripts_[static_cast<std::size_t>(applied)];
    Transaction transaction(database);
    database.execute(
        "CREATE TABLE IF NOT EXISTS schema_migrations (version INTEGER PRIMARY KEY, name TEXT NOT NULL, "
        "checksum TEXT NOT NULL, applied_at INTEGER NOT NULL)");
    database.execute(script.sql);
    database.prepare("INSERT INTO schema_migrations VALUES (?, ?, ?, ?)")
        .bind(script.version, script.name, script.checksum, SystemClock().now())
        .run();
    transaction.commit();
    if (before > 0) log::info("store", "migrated the database", {{"file", file}, {"script", script.name}});
  }
  return applied - before;
}

}  // namespace postern::store
