#include "core/vault/KeyStore.h"

#include "core/store/Migrator.h"
#include "core/vault/KeyStoreImpl.h"
#include "core/vault/Migrations.h"
#include "core/vault/RootKeySource.h"

namespace postern::vault {

namespace {

// The copies that the migrator makes would keep keys that are destroyed later on.
void removeMigrationCopies(const std::filesystem::path& file) {
  const auto folder = file.has_parent_path() ? file.parent_path() : std::filesystem::path(".");
  const auto prefix = file.filename().string() + ".before-";
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    if (entry.path().filename().string().starts_with(prefix)) std::filesystem::remove(entry.path());
}

}  // namespace

store::Database openKeysAndMigrate(const std::filesystem::path& file) {
  if (file.has_parent_path()) files::makePrivateFolder(file.parent_path());
  auto database = store::Database::openWriter(file);
  store::Migrator(migrations::all()).migrate(database);
  removeMigrationCopies(file);
  return database;
}

KeyStore::KeyStore(const std::filesystem::path& file, const RootKey& root, Journal* journal)
    : impl_(std::make_unique<Impl>(file, journal)) {
  impl_->chooseRoot({{root, false}}, SystemClock().now());
  impl_->loadVaultKeyPair();
  impl_->applyTombstones();
}

KeyStore::KeyStore(const std::filesystem::path& file, RootKeySource& source, Journal* journal)
    : impl_(std::make_unique<Impl>(file, journal)) {
  if (impl_->chooseRoot(source.candidates(), SystemClock().now()))
    source.finishNext();
  else
    source.dropNext();
  impl_->loadVaultKeyPair();
  impl_->applyTombstones();
}

KeyStore::~KeyStore() = default;

const RootKey& KeyStore::siteRoot() const {
  return impl_->siteRoot;
}

const KeyStore::VaultKeyPair& KeyStore::vaultKeyPair() const {
  return impl_->vault;
}

Journal* KeyStore::journal() const {
  return impl_->journal;
}

void KeyStore::storeSigningKey(std::uint64_t listId, std::string_view name, const Secret& key) {
  MutexLock lock(impl_->mutex);
  if (listId == 0) throw Error(ErrorKind::Invariant, "a signing key belongs to a list");
  impl_->storePrivateKey(listId, name, key, {});
}

std::optional<Secret> KeyStore::signingKey(std::uint64_t listId, std::string_view name) const {
  MutexLock lock(impl_->mutex);
  if (listId == 0) throw Error(ErrorKind::Invariant, "a signing key belongs to a list");
  return impl_->openPrivate(listId, name);
}

void KeyStore::destroySigningKey(std::uint64_t listId, std::string_view name) {
  MutexLock lock(impl_->mutex);
  if (listId == 0) throw Error(ErrorKind::Invariant, "a signing key belongs to a list");
  impl_->database.prepare("DELETE FROM private_keys WHERE list_id = ? AND name = ?").bind(listId, name).run();
  impl_->emptyWriteAheadLog();
}

void KeyStore::storeSiteKey(std::string_view name, const Secret& key, std::string_view publicPart) {
  MutexLock lock(impl_->mutex);
  impl_->storePrivateKey(0, std::string(SitePrefix) + std::string(name), key, publicPart);
}

std::optional<Secret> KeyStore::siteKey(std::string_view name) const {
  MutexLock lock(impl_->mutex);
  return impl_->openPrivate(0, std::string(SitePrefix) + std::string(name));
}

std::optional<std::string> KeyStore::siteKeyPublicPart(std::string_view name) const {
  MutexLock lock(impl_->mutex);
  const auto full = std::string(SitePrefix) + std::string(name);
  auto select = impl_->database.prepare("SELECT public_part FROM private_keys WHERE list_id = 0 AND name = ?");
  if (!select.bind(full).step()) return std::nullopt;
  return select.blob(0);
}

std::vector<bool> KeyStore::storeObjectKeys(const std::vector<NewObjectKey>& keys, TimePoint now) {
  MutexLock lock(impl_->mutex);
  std::vector<bool> stored;
  std::map<std::uint64_t, Impl::Epoch> epochs;  // by list
  Impl::Counts counts;
  store::Transaction transaction(impl_->database);
  for (const auto& [objectId, key] : keys) {
    auto known = epochs.find(key.listId);
    if (known == epochs.end()) known = epochs.emplace(key.listId, impl_->newestEpoch(key.listId, now)).first;
    const auto& epoch = known->second;
    const auto wrapped = epoch.key->sealSecret(key.key, objectContext(key.listId, objectId));
    impl_->database
        .prepare(
            "INSERT INTO object_keys (object_id, list_id, epoch_id, wrapped, segment, offset, length) "
            "VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (object_id) DO NOTHING")
        .bind(objectId, key.listId, epoch.id, store::Blob{wrapped}, key.place.segment, key.place.offset,
              key.place.length)
        .run();
    stored.push_back(impl_->database.changes() == 1);
    if (!stored.back()) continue;
    ++counts.epochs[epoch.id];
    ++counts.segments[key.place.segment];
  }
  impl_->addCounts(counts);
  transaction.commit();
  for (const auto& [listId, epoch] : epochs) impl_->epochs[epoch.id] = epoch.key;
  return stored;
}

std::optional<KeyStore::ObjectKey> KeyStore::objectKey(std::uint64_t objectId) const {
  MutexLock lock(impl_->mutex);
  auto select = impl_->database.prepare(
      "SELECT list_id, epoch_id, wrapped, segment, offset, length FROM object_keys WHERE object_id = ?");
  if (!select.bind(objectId).step()) return std::nullopt;
  ObjectKey found;
  found.listId = select.unsignedInteger(0);
  found.place = placeOf(select, 3);
  found.key = impl_->epochKey(select.integer(1))->openSecret(select.view(2), objectContext(found.listId, objectId));
  return found;
}

bool KeyStore::hasObjectKey(std::uint64_t objectId) const {
  MutexLock lock(impl_->mutex);
  auto select = impl_->database.prepare("SELECT 1 FROM object_keys WHERE object_id = ?");
  return select.bind(objectId).step();
}

std::vector<KeyStore::Destroyed> KeyStore::destroyObjectKeys(std::span<const std::uint64_t> objectIds) {
  MutexLock lock(impl_->mutex);
  std::vector<std::uint64_t> present;
  for (const auto id : objectIds) {
    auto select = impl_->database.prepare("SELECT 1 FROM object_keys WHERE object_id = ?");
    if (select.bind(id).step()) present.push_back(id);
  }
  if (impl_->journal != nullptr && !present.empty()) {
    std::vector<std::string> payloads;
    for (std::size_t i = 0; i < present.size(); i += TombstonesPerRecord) {
      const auto part = std::span(present).subspan(i, std::min(TombstonesPerRecord, present.size() - i));
      payloads.push_back(std::move(Writer().list(part, [](Writer& to, std::uint64_t id) { to.u64(id); })).bytes());
    }
    std::vector<Journal::NewRecord> records;
    for (const auto& payload : payloads) records.push_back({Journal::Kind::Tombstone, payload});
    impl_->journal->appendAll(records);
  }
  // What an earlier call announced and could not do is done now, before the register counts as applied.
  impl_->owed.insert(impl_->owed.end(), present.begin(), present.end());
  std::vector<Destroyed> removed;
  if (!impl_->owed.empty()) removed = impl_->removeKeys(impl_->owed, impl_->journal ? impl_->journal->last() : 0);
  impl_->owed.clear();
  impl_->emptyWriteAheadLog();
  return removed;
}

}  // namespace postern::vault
