#pragma once
#include "core/base/Codec.h"
#include "core/base/Error.h"
#include "core/base/Files.h"
#include "core/base/Log.h"
#include "core/base/Mutex.h"
#include "core/crypto/Aead.h"
#include "core/crypto/SealedBox.h"
#include "core/store/Database.h"
#include "core/vault/KeyStore.h"
#include "core/vault/RootKeySource.h"

#include <algorithm>
#include <map>

namespace postern::vault {

// The inside of KeyStore, shared by its source files.
inline constexpr std::string_view VaultKey = "vault";
inline constexpr std::string_view SiteSecret = "site-secret";
inline constexpr std::string_view FixedPrefix = "fixed:";
inline constexpr std::string_view SitePrefix = "site:";
inline constexpr std::size_t TombstonesPerRecord = 100'000;

// What a wrapped key is bound to, so that a row cannot be put in the place of another.
inline std::string context(std::string_view what, std::uint64_t list, std::string_view name) {
  return std::string(what) + "|" + std::to_string(list) + "|" + std::string(name);
}
inline std::string epochContext(std::uint64_t listId) {
  return context("epoch", listId, "");
}
inline std::string objectContext(std::uint64_t listId, std::uint64_t objectId) {
  return context("object", listId, std::to_string(objectId));
}

store::Database openKeysAndMigrate(const std::filesystem::path& file);

inline store::RecordRef placeOf(const store::Statement& row, int column) {
  return {row.unsignedInteger(column), static_cast<std::uint32_t>(row.integer(column + 1)),
          static_cast<std::uint32_t>(row.integer(column + 2))};
}

inline std::vector<std::uint64_t> readTombstones(std::string_view payload) {
  Reader reader(payload);
  return reader.list<std::uint64_t>([](Reader& from) { return from.u64(); });
}

struct KeyStore::Impl {
  using WrappingKey = std::shared_ptr<const crypto::AeadKey>;

  Impl(const std::filesystem::path& file, Journal* theJournal)
      : journal(theJournal), database(openKeysAndMigrate(file)), siteRoot(RootKey::generate()) {}

  struct Epoch {
    std::int64_t id = 0;
    WrappingKey key;
  };

  // ---- opening

  static WrappingKey wrappingOf(const RootKey& root) {
    return std::make_shared<crypto::AeadKey>(root.derive(RootKey::WrappingKey));
  }

  // Which of the candidates the file is under: is it the next one?
  bool chooseRoot(const std::vector<RootKeySource::Candidate>& candidates, TimePoint now) EXCLUDES_LOCK(mutex);

  bool opensVaultKey(const RootKey& root) REQUIRES_LOCK(mutex);

  void addRootEpoch(const RootKey& root, TimePoint now) REQUIRES_LOCK(mutex);

  // A site that was made before its derived keys stood apart from the root key goes on with those it has: they are
  // stored one by one, for the root key itself could not be told from them.
  void fixDerivedKeys(const RootKey& root) REQUIRES_LOCK(mutex);

  void loadVaultKeyPair() EXCLUDES_LOCK(mutex);

  // What the register says is destroyed is destroyed, whatever file was put in the place of keys.db.
  void applyTombstones() EXCLUDES_LOCK(mutex);

  // ---- private keys

  void storePrivateKey(std::uint64_t listId, std::string_view name, const Secret& key, std::string_view publicKey)
      REQUIRES_LOCK(mutex);

  std::optional<Secret> openPrivate(std::uint64_t listId, std::string_view name) REQUIRES_LOCK(mutex);

  std::string publicPart(std::string_view name) REQUIRES_LOCK(mutex);

  // ---- epochs

  WrappingKey epochKey(std::int64_t id) REQUIRES_LOCK(mutex);

  Epoch addEpoch(std::uint64_t listId, TimePoint now) REQUIRES_LOCK(mutex);

  Epoch newestEpoch(std::uint64_t listId, TimePoint now) REQUIRES_LOCK(mutex);

  // ---- counts and facts, inside the transaction of what they count

  struct Counts {
    std::map<std::int64_t, std::int64_t> epochs;
    std::map<std::uint64_t, std::int64_t> segments;
  };

  void addCounts(const Counts& counts) REQUIRES_LOCK(mutex);

  std::uint64_t fact(std::string_view name) REQUIRES_LOCK(mutex);

  void setFact(std::string_view name, std::uint64_t number, std::string_view text = {}) REQUIRES_LOCK(mutex);

  // ---- destroying

  std::vector<Destroyed> removeKeys(std::span<const std::uint64_t> objectIds, std::uint64_t journalNumber)
      REQUIRES_LOCK(mutex);

  // The register says that it is destroyed, and the next start would see to it: nobody may rely on its key any more.
  bool isOwed(std::uint64_t objectId) const REQUIRES_LOCK(mutex) {
    return std::find(owed.begin(), owed.end(), objectId) != owed.end();
  }

  // The write-ahead log still has pages with the wrapped keys: they are moved over and it is emptied. Only the first
  // time in a row it waits for readers, for nobody's mail may wait for somebody's long look at the file.
  void emptyWriteAheadLog() REQUIRES_LOCK(mutex);

  Journal* journal;
  Mutex mutex;
  store::Database database GUARDED_BY(mutex);
  WrappingKey wrapping GUARDED_BY(mutex);
  std::map<std::int64_t, WrappingKey> epochs GUARDED_BY(mutex);
  VaultKeyPair vault;  // constant after construction, as is:
  RootKey siteRoot;
  bool remnants GUARDED_BY(mutex) = true;             // until the log was emptied for the first time
  bool logLater GUARDED_BY(mutex) = false;            // keys were destroyed since it was last emptied
  std::vector<std::uint64_t> owed GUARDED_BY(mutex);  // tombstones that are written, keys that are still to go
};

}  // namespace postern::vault
