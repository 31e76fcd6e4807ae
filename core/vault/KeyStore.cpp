#include "core/vault/KeyStore.h"

#include "core/store/Migrator.h"
#include "core/vault/KeyStoreImpl.h"
#include "core/vault/Migrations.h"
#include "core/vault/RootKeySource.h"

#include <utility>

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
  database.execute("PRAGMA cache_spill=OFF");  // a destruction of many touches a page for each; none is written twice
  removeMigrationCopies(file);
  return database;
}

bool KeyStore::Impl::chooseRoot(const std::vector<RootKeySource::Candidate>& candidates, TimePoint now) {
  const MutexLock lock(mutex);
  auto newest = database.prepare("SELECT check_value FROM root_epochs ORDER BY id DESC LIMIT 1");
  const bool known = newest.bind().step();
  for (const auto& [key, next] : candidates) {
    if (known ? newest.view(0) != key.checkValue() : !opensVaultKey(key)) continue;
    wrapping = wrappingOf(key);
    if (!known) addRootEpoch(key, now);
    fixDerivedKeys(key);
    return next;
  }
  throw Error(ErrorKind::Crypto, database.path().string() +
                                     " was wrapped by another root key: put that root key back, or restore the "
                                     "backup of the keys that belongs to this one (postern keys restore)");
}

bool KeyStore::Impl::opensVaultKey(const RootKey& root) {
  auto select = database.prepare("SELECT wrapped FROM private_keys WHERE list_id = 0 AND name = ?");
  if (!select.bind(VaultKey).step()) return true;  // a new file
  try {
    wrappingOf(root)->openSecret(select.view(0), context("private", 0, VaultKey));
    return true;
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::Crypto) throw;
    return false;
  }
}

void KeyStore::Impl::addRootEpoch(const RootKey& root, TimePoint now) {
  database.prepare("INSERT INTO root_epochs (since, check_value) VALUES (?, ?)")
      .bind(now, store::Blob{root.checkValue()})
      .run();
}

void KeyStore::Impl::fixDerivedKeys(const RootKey& root) {
  std::map<std::string, Secret> fixed;
  store::Transaction transaction(database);
  auto secret = openPrivate(0, SiteSecret);
  if (!secret) {
    if (openPrivate(0, VaultKey))
      for (const auto label :
           {RootKey::QueueKey, RootKey::VerpKey, RootKey::CookieKey, RootKey::TokenKey, RootKey::AuditKey})
        storePrivateKey(0, std::string(FixedPrefix) + std::string(label), root.derive(label), {});
    secret = RootKey::generate().bytes();
    storePrivateKey(0, SiteSecret, *secret, {});
  }
  auto select = database.prepare("SELECT name, wrapped FROM private_keys WHERE list_id = 0 AND name LIKE 'fixed:%'");
  select.bind();
  while (select.step()) {
    const auto name = select.text(0);
    fixed.emplace(name.substr(FixedPrefix.size()), wrapping->openSecret(select.view(1), context("private", 0, name)));
  }
  transaction.commit();
  siteRoot = RootKey::withFixed(*secret, std::move(fixed));
}

void KeyStore::Impl::loadVaultKeyPair() {
  MutexLock lock(mutex);
  if (auto known = openPrivate(0, VaultKey)) {
    vault = {publicPart(VaultKey), std::move(*known)};
    if (crypto::SealedBoxKeys::fromPrivateKey(vault.privateKey).publicKey != vault.publicKey)
      throw Error(ErrorKind::Crypto, "keys.db: the vault's public key does not belong to its private key");
    return;
  }
  auto fresh = crypto::SealedBoxKeys::generate();
  storePrivateKey(0, VaultKey, fresh.privateKey, fresh.publicKey);
  vault = {fresh.publicKey, std::move(fresh.privateKey)};
}

void KeyStore::Impl::applyTombstones() {
  const MutexLock lock(mutex);
  if (journal == nullptr) return emptyWriteAheadLog();
  const auto applied = fact("journal");
  const auto last = journal->last();
  if (last < applied && !journal->trouble())
    journal->distrust("the register " + journal->file().string() + " has " + std::to_string(last) +
                      " records, but keys.db knows of " + std::to_string(applied));
  const bool trouble = journal->trouble().has_value();
  if (last == applied && !trouble) return emptyWriteAheadLog();  // a process that died may have left it
  std::vector<std::uint64_t> objects;
  std::optional<std::string> unreadable;
  journal->forEach(
      [&](const Journal::Record& record) {
        if (record.kind != Journal::Kind::Tombstone) return;
        try {  // the boundary of one record: the others count all the same
          const auto some = readTombstones(record.payload);
          objects.insert(objects.end(), some.begin(), some.end());
        } catch (const Error& error) {
          unreadable = "record " + std::to_string(record.number) + " of the register " + journal->file().string() +
                       " cannot be read: " + error.message();
        }
      },
      applied);
  if (unreadable) journal->distrust(*unreadable);
  const auto gone = removeKeys(objects, journal->trouble() ? applied : last).size();
  if (gone > 0) log::warning("vault", "keys came back that the register says are destroyed", {{"destroyed", gone}});
  emptyWriteAheadLog();
}

void KeyStore::Impl::storePrivateKey(std::uint64_t listId, std::string_view name, const Secret& key,
                                     std::string_view publicKey) {
  database
      .prepare(
          "INSERT INTO private_keys (list_id, name, wrapped, public_part) VALUES (?, ?, ?, ?) "
          "ON CONFLICT (list_id, name) DO UPDATE SET wrapped = excluded.wrapped, "
          "public_part = excluded.public_part")
      .bind(listId, name, store::Blob{wrapping->sealSecret(key, context("private", listId, name))},
            store::Blob{publicKey})
      .run();
}

std::optional<Secret> KeyStore::Impl::openPrivate(std::uint64_t listId, std::string_view name) {
  auto select = database.prepare("SELECT wrapped FROM private_keys WHERE list_id = ? AND name = ?");
  if (!select.bind(listId, name).step()) return std::nullopt;
  return wrapping->openSecret(select.view(0), context("private", listId, name));
}

std::string KeyStore::Impl::publicPart(std::string_view name) {
  auto select = database.prepare("SELECT public_part FROM private_keys WHERE list_id = 0 AND name = ?");
  return select.bind(name).step() ? select.blob(0) : std::string();
}

KeyStore::Impl::WrappingKey KeyStore::Impl::epochKey(std::int64_t id) {
  auto& known = epochs[id];
  if (known) return known;
  auto select = database.prepare("SELECT list_id, wrapped FROM epochs WHERE id = ?");
  if (!select.bind(id).step()) throw Error(ErrorKind::Store, "keys.db: epoch " + std::to_string(id) + " is missing");
  known =
      std::make_shared<crypto::AeadKey>(wrapping->openSecret(select.view(1), epochContext(select.unsignedInteger(0))));
  return known;
}

KeyStore::Impl::Epoch KeyStore::Impl::addEpoch(std::uint64_t listId, TimePoint now) {
  auto secret = crypto::AeadKey::generate();
  database.prepare("INSERT INTO epochs (list_id, created_at, wrapped) VALUES (?, ?, ?)")
      .bind(listId, now, store::Blob{wrapping->sealSecret(secret, epochContext(listId))})
      .run();
  // Not put into `epochs` yet: the transaction around this can still fail.
  return {database.lastInsertId(), std::make_shared<crypto::AeadKey>(std::move(secret))};
}

KeyStore::Impl::Epoch KeyStore::Impl::newestEpoch(std::uint64_t listId, TimePoint now) {
  auto select = database.prepare("SELECT id FROM epochs WHERE list_id = ? ORDER BY id DESC LIMIT 1");
  if (select.bind(listId).step()) return {select.integer(0), epochKey(select.integer(0))};
  return addEpoch(listId, now);
}

void KeyStore::Impl::addCounts(const Counts& counts) {
  for (const auto& [id, change] : counts.epochs)
    database.prepare("UPDATE epochs SET objects = objects + ? WHERE id = ?").bind(change, id).run();
  for (const auto& [segment, change] : counts.segments)
    database
        .prepare(
            "INSERT INTO segment_counts (segment, objects) VALUES (?, ?) ON CONFLICT (segment) DO UPDATE SET "
            "objects = objects + excluded.objects")
        .bind(segment, change)
        .run();
  database.prepare("DELETE FROM segment_counts WHERE objects <= 0").bind().run();
}

std::uint64_t KeyStore::Impl::fact(std::string_view name) {
  auto select = database.prepare("SELECT number FROM facts WHERE name = ?");
  return select.bind(name).step() ? select.unsignedInteger(0) : 0;
}

void KeyStore::Impl::setFact(std::string_view name, std::uint64_t number, std::string_view text) {
  database
      .prepare(
          "INSERT INTO facts (name, number, text) VALUES (?, ?, ?) ON CONFLICT (name) DO UPDATE SET "
          "number = excluded.number, text = excluded.text")
      .bind(name, number, text)
      .run();
}

std::vector<KeyStore::Destroyed> KeyStore::Impl::removeKeys(std::span<const std::uint64_t> objectIds,
                                                            std::uint64_t journalNumber) {
  std::vector<Destroyed> removed;
  Counts counts;
  store::Transaction transaction(database);
  for (const auto id : objectIds) {
    store::RecordRef place;
    {
      auto row = database.prepare("SELECT segment, offset, length, epoch_id FROM object_keys WHERE object_id = ?");
      if (!row.bind(id).step()) continue;
      place = placeOf(row, 0);
      --counts.epochs[row.integer(3)];
    }
    --counts.segments[place.segment];
    database.prepare("DELETE FROM object_keys WHERE object_id = ?").bind(id).run();
    database.prepare("INSERT INTO freed_places (segment, offset, length) VALUES (?, ?, ?)")
        .bind(place.segment, place.offset, place.length)
        .run();
    removed.push_back({id, {database.lastInsertId(), place}});
  }
  addCounts(counts);
  if (journal != nullptr) setFact("journal", journalNumber);
  transaction.commit();
  return removed;
}

void KeyStore::Impl::emptyWriteAheadLog() {
  const bool readBefore = std::exchange(remnants, true);
  remnants = !(readBefore ? database.checkpoint(std::chrono::milliseconds(0)) : database.checkpoint());
  logLater = false;
  if (remnants && !readBefore)
    log::warning("vault", "another program reads keys.db, whose log still has keys that were destroyed or replaced");
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

void KeyStore::destroySigningKeys(std::uint64_t listId) {
  MutexLock lock(impl_->mutex);
  if (listId == 0) throw Error(ErrorKind::Invariant, "a signing key belongs to a list");
  impl_->database.prepare("DELETE FROM private_keys WHERE list_id = ?").bind(listId).run();
  impl_->emptyWriteAheadLog();
}

std::vector<KeyStore::SigningKeyName> KeyStore::signingKeys() const {
  MutexLock lock(impl_->mutex);
  std::vector<SigningKeyName> names;
  auto select =
      impl_->database.prepare("SELECT list_id, name FROM private_keys WHERE list_id != 0 ORDER BY list_id, name");
  while (select.step()) names.push_back({select.unsignedInteger(0), select.text(1)});
  return names;
}

void KeyStore::storeSiteKey(std::string_view name, const Secret& key, std::string_view publicPart) {
  MutexLock lock(impl_->mutex);
  impl_->storePrivateKey(0, std::string(SitePrefix) + std::string(name), key, publicPart);
}

void KeyStore::destroySiteKey(std::string_view name) {
  MutexLock lock(impl_->mutex);
  const auto full = std::string(SitePrefix) + std::string(name);
  impl_->database.prepare("DELETE FROM private_keys WHERE list_id = 0 AND name = ?").bind(full).run();
  impl_->emptyWriteAheadLog();
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
  if (impl_->isOwed(objectId)) return std::nullopt;
  auto select = impl_->database.prepare(
      "SELECT list_id, epoch_id, wrapped, segment, offset, length FROM object_keys WHERE object_id = ?");
  if (!select.bind(objectId).step()) return std::nullopt;
  ObjectKey found;
  found.listId = select.unsignedInteger(0);
  found.place = placeOf(select, 3);
  found.key = impl_->epochKey(select.integer(1))->openSecret(select.view(2), objectContext(found.listId, objectId));
  return found;
}

bool KeyStore::remnants() const {
  MutexLock lock(impl_->mutex);
  return impl_->remnants || impl_->logLater;
}

bool KeyStore::hasObjectKey(std::uint64_t objectId) const {
  MutexLock lock(impl_->mutex);
  if (impl_->isOwed(objectId)) return false;
  auto select = impl_->database.prepare("SELECT 1 FROM object_keys WHERE object_id = ?");
  return select.bind(objectId).step();
}

bool KeyStore::hasAnyObjectKey(std::span<const std::uint64_t> objectIds) const {
  MutexLock lock(impl_->mutex);
  const store::Transaction snapshot(impl_->database, store::Transaction::Kind::Read);  // one lock of the file for all
  auto select = impl_->database.prepare("SELECT 1 FROM object_keys WHERE object_id = ?");
  for (const auto id : objectIds)
    if (!impl_->isOwed(id) && select.bind(id).step()) return true;
  return false;
}

std::vector<KeyStore::Destroyed> KeyStore::destroyObjectKeys(std::span<const std::uint64_t> objectIds,
                                                             AfterDestroying after) {
  MutexLock lock(impl_->mutex);
  std::vector<std::uint64_t> present;
  {
    const store::Transaction snapshot(impl_->database, store::Transaction::Kind::Read);  // one lock for all
    auto select = impl_->database.prepare("SELECT 1 FROM object_keys WHERE object_id = ?");
    for (const auto id : objectIds)
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
  if (after == AfterDestroying::LogLater)
    impl_->logLater = true;
  else
    impl_->emptyWriteAheadLog();
  return removed;
}

}  // namespace postern::vault
