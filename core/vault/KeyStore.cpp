#include "core/vault/KeyStore.h"

#include "core/base/Error.h"
#include "core/base/Files.h"
#include "core/base/Mutex.h"
#include "core/crypto/Aead.h"
#include "core/crypto/SealedBox.h"
#include "core/store/Database.h"
#include "core/store/Migrator.h"
#include "core/vault/Migrations.h"

#include <map>

namespace postern::vault {

namespace {

// What a wrapped key is bound to, so that a row cannot be put in the place of another.
std::string context(std::string_view what, std::uint64_t list, std::string_view name) {
  return std::string(what) + "|" + std::to_string(list) + "|" + std::string(name);
}

store::Database openAndMigrate(const std::filesystem::path& file) {
  if (file.has_parent_path()) files::makePrivateFolder(file.parent_path());
  auto database = store::Database::openWriter(file);
  store::Migrator(migrations::all()).migrate(database);
  return database;
}

}  // namespace

struct KeyStore::Impl {
  Impl(const std::filesystem::path& file, const RootKey& root)
      : database(openAndMigrate(file)), wrapping(root.derive(RootKey::WrappingKey)) {}

  struct Epoch {
    std::int64_t id = 0;
    std::shared_ptr<const crypto::AeadKey> key;
  };

  static std::string epochContext(std::uint64_t listId) { return context("epoch", listId, ""); }

  std::shared_ptr<const crypto::AeadKey> epochKey(std::int64_t id) REQUIRES_LOCK(mutex) {
    auto& known = epochs[id];
    if (known) return known;
    auto select = database.prepare("SELECT list_id, wrapped FROM epochs WHERE id = ?");
    if (!select.bind(id).step()) throw Error(ErrorKind::Store, "keys.db: epoch " + std::to_string(id) + " is missing");
    known =
        std::make_shared<crypto::AeadKey>(wrapping.openSecret(select.view(1), epochContext(select.unsignedInteger(0))));
    return known;
  }

  Epoch newestEpoch(std::uint64_t listId, TimePoint now) REQUIRES_LOCK(mutex) {
    auto select = database.prepare("SELECT id FROM epochs WHERE list_id = ? ORDER BY id DESC LIMIT 1");
    if (select.bind(listId).step()) return {select.integer(0), epochKey(select.integer(0))};
    auto secret = crypto::AeadKey::generate();
    database.prepare("INSERT INTO epochs (list_id, created_at, wrapped) VALUES (?, ?, ?)")
        .bind(listId, now, store::Blob{wrapping.sealSecret(secret, epochContext(listId))})
        .run();
    // Not put into `epochs` yet: the transaction around this can still fail.
    return {database.lastInsertId(), std::make_shared<crypto::AeadKey>(std::move(secret))};
  }

  void storePrivateKey(std::uint64_t listId, std::string_view name, const Secret& key, std::string_view publicPart)
      REQUIRES_LOCK(mutex) {
    database
        .prepare(
            "INSERT INTO private_keys (list_id, name, wrapped, public_part) VALUES (?, ?, ?, ?) "
            "ON CONFLICT (list_id, name) DO UPDATE SET wrapped = excluded.wrapped, "
            "public_part = excluded.public_part")
        .bind(listId, name, store::Blob{wrapping.sealSecret(key, context("private", listId, name))},
              store::Blob{publicPart})
        .run();
  }

  void loadVaultKeyPair() EXCLUDES_LOCK(mutex) {
    MutexLock lock(mutex);
    auto select =
        database.prepare("SELECT wrapped, public_part FROM private_keys WHERE list_id = 0 AND name = 'vault'");
    if (select.bind().step()) {
      vault = {select.blob(1), wrapping.openSecret(select.view(0), context("private", 0, "vault"))};
      if (crypto::SealedBoxKeys::fromPrivateKey(vault.privateKey).publicKey != vault.publicKey)
        throw Error(ErrorKind::Crypto, "keys.db: the vault's public key does not belong to its private key");
      return;
    }
    auto fresh = crypto::SealedBoxKeys::generate();
    storePrivateKey(0, "vault", fresh.privateKey, fresh.publicKey);
    vault = {fresh.publicKey, std::move(fresh.privateKey)};
  }

  Mutex mutex;
  store::Database database GUARDED_BY(mutex);
  crypto::AeadKey wrapping;
  std::map<std::int64_t, std::shared_ptr<const crypto::AeadKey>> epochs GUARDED_BY(mutex);
  VaultKeyPair vault;  // constant after construction
};

KeyStore::KeyStore(const std::filesystem::path& file, const RootKey& root) : impl_(std::make_unique<Impl>(file, root)) {
  impl_->loadVaultKeyPair();
}

KeyStore::~KeyStore() = default;

const KeyStore::VaultKeyPair& KeyStore::vaultKeyPair() const {
  return impl_->vault;
}

void KeyStore::storeSigningKey(std::uint64_t listId, std::string_view name, const Secret& key) {
  MutexLock lock(impl_->mutex);
  if (listId == 0) throw Error(ErrorKind::Invariant, "a signing key belongs to a list");
  impl_->storePrivateKey(listId, name, key, {});
}

std::optional<Secret> KeyStore::signingKey(std::uint64_t listId, std::string_view name) const {
  MutexLock lock(impl_->mutex);
  auto select = impl_->database.prepare("SELECT wrapped FROM private_keys WHERE list_id = ? AND name = ?");
  if (!select.bind(listId, name).step()) return std::nullopt;
  return impl_->wrapping.openSecret(select.view(0), context("private", listId, name));
}

void KeyStore::destroySigningKey(std::uint64_t listId, std::string_view name) {
  MutexLock lock(impl_->mutex);
  if (listId == 0) throw Error(ErrorKind::Invariant, "a signing key belongs to a list");
  impl_->database.prepare("DELETE FROM private_keys WHERE list_id = ? AND name = ?").bind(listId, name).run();
  impl_->database.checkpoint();
}

void KeyStore::storeSiteKey(std::string_view name, const Secret& key, std::string_view publicPart) {
  MutexLock lock(impl_->mutex);
  if (name == "vault") throw Error(ErrorKind::Invariant, "the vault's key pair is never replaced");
  impl_->storePrivateKey(0, name, key, publicPart);
}

std::optional<Secret> KeyStore::siteKey(std::string_view name) const {
  return signingKey(0, name);
}

std::optional<std::string> KeyStore::siteKeyPublicPart(std::string_view name) const {
  MutexLock lock(impl_->mutex);
  auto select = impl_->database.prepare("SELECT public_part FROM private_keys WHERE list_id = 0 AND name = ?");
  if (!select.bind(name).step()) return std::nullopt;
  return select.blob(0);
}

std::vector<bool> KeyStore::storeObjectKeys(const std::vector<NewObjectKey>& keys, TimePoint now) {
  MutexLock lock(impl_->mutex);
  std::vector<bool> stored;
  std::map<std::uint64_t, Impl::Epoch> epochs;  // by list
  store::Transaction transaction(impl_->database);
  for (const auto& [objectId, key] : keys) {
    auto known = epochs.find(key.listId);
    if (known == epochs.end()) known = epochs.emplace(key.listId, impl_->newestEpoch(key.listId, now)).first;
    const auto& epoch = known->second;
    const auto wrapped = epoch.key->sealSecret(key.key, context("object", key.listId, std::to_string(objectId)));
    impl_->database
        .prepare(
            "INSERT INTO object_keys (object_id, list_id, epoch_id, wrapped, segment, offset, length) "
            "VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (object_id) DO NOTHING")
        .bind(objectId, key.listId, epoch.id, store::Blob{wrapped}, key.place.segment, key.place.offset,
              key.place.length)
        .run();
    stored.push_back(impl_->database.changes() == 1);
  }
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
  found.place = {select.unsignedInteger(3), static_cast<std::uint32_t>(select.integer(4)),
                 static_cast<std::uint32_t>(select.integer(5))};
  found.key = impl_->epochKey(select.integer(1))
                  ->openSecret(select.view(2), context("object", found.listId, std::to_string(objectId)));
  return found;
}

std::optional<store::RecordRef> KeyStore::destroyObjectKey(std::uint64_t objectId) {
  MutexLock lock(impl_->mutex);
  std::optional<store::RecordRef> place;
  {
    store::Transaction transaction(impl_->database);
    auto select = impl_->database.prepare("SELECT segment, offset, length FROM object_keys WHERE object_id = ?");
    if (!select.bind(objectId).step()) return std::nullopt;
    place = {select.unsignedInteger(0), static_cast<std::uint32_t>(select.integer(1)),
             static_cast<std::uint32_t>(select.integer(2))};
    impl_->database.prepare("DELETE FROM object_keys WHERE object_id = ?").bind(objectId).run();
    transaction.commit();
  }
  // The write-ahead log still has pages with the wrapped key: move them over and empty it.
  impl_->database.checkpoint();
  return place;
}

std::vector<store::RecordRef> KeyStore::places() const {
  MutexLock lock(impl_->mutex);
  std::vector<store::RecordRef> places;
  auto select = impl_->database.prepare("SELECT segment, offset, length FROM object_keys");
  while (select.step())
    places.push_back({select.unsignedInteger(0), static_cast<std::uint32_t>(select.integer(1)),
                      static_cast<std::uint32_t>(select.integer(2))});
  return places;
}

void KeyStore::backupTo(const std::filesystem::path& target) const {
  MutexLock lock(impl_->mutex);
  impl_->database.backupTo(target);
}

}  // namespace postern::vault
