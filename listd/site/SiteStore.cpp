#include "listd/site/SiteStore.h"

#include "core/base/Files.h"
#include "core/crypto/Encoding.h"
#include "core/crypto/Random.h"
#include "core/store/Migrator.h"
#include "listd/SiteMigrations.h"

namespace postern::listd {
namespace {

constexpr std::size_t KeptReaders = 8;

store::Database openMigrated(const std::filesystem::path& file, const Clock& clock) {
  files::makePrivateFolder(file.parent_path());
  auto database = store::Database::openWriter(file);
  store::Migrator(migrations::all()).migrate(database);
  // The plan of a large list is one transaction; with less it would be written twice.
  database.execute("PRAGMA cache_size=-16384; PRAGMA cache_spill=OFF; PRAGMA wal_autocheckpoint=8000");
  store::Transaction transaction(database);
  CounterStore(database).skipAhead(clock.now());
  transaction.commit();
  return database;
}

}  // namespace

SiteStore::SiteStore(const std::filesystem::path& file, const Clock& clock)
    : file_(file),
      scene_{&clock, crypto::hex(crypto::randomBytes(8))},
      writer_(std::make_unique<store::WriterThread>(openMigrated(file, clock))) {}

void SiteStore::writeLater(std::function<void(SiteTables&)> work, std::function<void(std::exception_ptr)> failed) {
  writer_->submit(
      [this, work = std::move(work)](store::Database& database) {
        SiteTables tables(database, scene_);
        work(tables);
      },
      [failed = std::move(failed)](std::exception_ptr error) {
        if (error) failed(error);
      });
}

void SiteStore::copyTo(const std::filesystem::path& target, const std::function<void()>& begun) {
  const Borrowed reader(*this);
  const store::Transaction snapshot(*reader.database, store::Transaction::Kind::Read);
  reader.database->prepare("SELECT 1 FROM schema_migrations").bind().step();  // the first read takes the snapshot
  begun();
  reader.database->backupTo(target);
}

std::unique_ptr<store::Database> SiteStore::borrow() {
  {
    const MutexLock lock(mutex_);
    if (!readers_.empty()) {
      auto reader = std::move(readers_.back());
      readers_.pop_back();
      return reader;
    }
  }
  return std::make_unique<store::Database>(store::Database::openReader(file_));
}

void SiteStore::giveBack(std::unique_ptr<store::Database> reader) {
  const MutexLock lock(mutex_);
  if (readers_.size() < KeptReaders) readers_.push_back(std::move(reader));
}

}  // namespace postern::listd
