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
  bool chooseRoot(const std::vector<RootKeySource::Candidate>& candidates, TimePoint now) EXCLUDES_LOCK(mutex) {
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

  bool opensVaultKey(const RootKey& root) REQUIRES_LOCK(mutex) {
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

  void addRootEpoch(const RootKey& root, TimePoint now) REQUIRES_LOCK(mutex) {
    database.prepare("INSERT INTO root_epochs (since, check_value) VALUES (?, ?)")
        .bind(now, store::Blob{root.checkValue()})
        .run();
  }

  // A site that was made before its derived keys stood apart from the root key goes on with those it has: they are
  // stored one by one, for the root key itself could not be told from them.
  void fixDerivedKeys(const RootKey& root) REQUIRES_LOCK(mutex) {
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

  void loadVaultKeyPair() EXCLUDES_LOCK(mutex) {
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

  // What the register says is destroyed is destroyed, whatever file was put in the place of keys.db.
  void applyTombstones() EXCLUDES_LOCK(mutex) {
    if (journal == nullptr) return;
    const MutexLock lock(mutex);
    const auto applied = fact("journal");
    const auto last = journal->last();
    if (last < applied)
      throw Error(ErrorKind::Store, "the register " + journal->file().string() + " has " + std::to_string(last) +
                                        " records, but keys.db knows of " + std::to_string(applied) +
                                        ": put the register back; without it nothing tells what was destroyed since "
                                        "a backup was made");
    if (last == applied) return;
    std::vector<std::uint64_t> objects;
    journal->forEach(
        [&](const Journal::Record& record) {
          if (record.kind != Journal::Kind::Tombstone) return;
          const auto some = readTombstones(record.payload);
          objects.insert(objects.end(), some.begin(), some.end());
        },
        applied);
    const auto gone = removeKeys(objects, last).size();
    if (gone > 0) log::warning("vault", "keys came back that the register says are destroyed", {{"destroyed", gone}});
    emptyWriteAheadLog();
  }

  // ---- private keys

  void storePrivateKey(std::uint64_t listId, std::string_view name, const Secret& key, std::string_view publicKey)
      REQUIRES_LOCK(mutex) {
    database
        .prepare(
            "INSERT INTO private_keys (list_id, name, wrapped, public_part) VALUES (?, ?, ?, ?) "
            "ON CONFLICT (list_id, name) DO UPDATE SET wrapped = excluded.wrapped, "
            "public_part = excluded.public_part")
        .bind(listId, name, store::Blob{wrapping->sealSecret(key, context("private", listId, name))},
              store::Blob{publicKey})
        .run();
  }

  std::optional<Secret> openPrivate(std::uint64_t listId, std::string_view name) REQUIRES_LOCK(mutex) {
    auto select = database.prepare("SELECT wrapped FROM private_keys WHERE list_id = ? AND name = ?");
    if (!select.bind(listId, name).step()) return std::nullopt;
    return wrapping->openSecret(select.view(0), context("private", listId, name));
  }

  std::string publicPart(std::string_view name) REQUIRES_LOCK(mutex) {
    auto select = database.prepare("SELECT public_part FROM private_keys WHERE list_id = 0 AND name = ?");
    return select.bind(name).step() ? select.blob(0) : std::string();
  }

  // ---- epochs

  WrappingKey epochKey(std::int64_t id) REQUIRES_LOCK(mutex) {
    auto& known = epochs[id];
    if (known) return known;
    auto select = database.prepare("SELECT list_id, wrapped FROM epochs WHERE id = ?");
    if (!select.bind(id).step()) throw Error(ErrorKind::Store, "keys.db: epoch " + std::to_string(id) + " is missing");
    known = std::make_shared<crypto::AeadKey>(
        wrapping->openSecret(select.view(1), epochContext(select.unsignedInteger(0))));
    return known;
  }

  Epoch addEpoch(std::uint64_t listId, TimePoint now) REQUIRES_LOCK(mutex) {
    auto secret = crypto::AeadKey::generate();
    database.prepare("INSERT INTO epochs (list_id, created_at, wrapped) VALUES (?, ?, ?)")
        .bind(listId, now, store::Blob{wrapping->sealSecret(secret, epochContext(listId))})
        .run();
    // Not put into `epochs` yet: the transaction around this can still fail.
    return {database.lastInsertId(), std::make_shared<crypto::AeadKey>(std::move(secret))};
  }

  Epoch newestEpoch(std::uint64_t listId, TimePoint now) REQUIRES_LOCK(mutex) {
    auto select = database.prepare("SELECT id FROM epochs WHERE list_id = ? ORDER BY id DESC LIMIT 1");
    if (select.bind(listId).step()) return {select.integer(0), epochKey(select.integer(0))};
    return addEpoch(listId, now);
  }

  // ---- counts and facts, inside the transaction of what they count

  struct Counts {
    std::map<std::int64_t, std::int64_t> epochs;
    std::map<std::uint64_t, std::int64_t> segments;
  };

  void addCounts(const Counts& counts) REQUIRES_LOCK(mutex) {
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

  std::uint64_t fact(std::string_view name) REQUIRES_LOCK(mutex) {
    auto select = database.prepare("SELECT number FROM facts WHERE name = ?");
    return select.bind(name).step() ? select.unsignedInteger(0) : 0;
  }

  void setFact(std::string_view name, std::uint64_t number, std::string_view text = {}) REQUIRES_LOCK(mutex) {
    database
        .prepare(
            "INSERT INTO facts (name, number, text) VALUES (?, ?, ?) ON CONFLICT (name) DO UPDATE SET "
            "number = excluded.number, text = excluded.text")
        .bind(name, number, text)
        .run();
  }

  // ---- destroying

  std::vector<Destroyed> removeKeys(std::span<const std::uint64_t> objectIds, std::uint64_t journalNumber)
      REQUIRES_LOCK(mutex) {
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

  // The write-ahead log still has pages with the wrapped keys: they are moved over and it is emptied.
  void emptyWriteAheadLog() REQUIRES_LOCK(mutex) {
    if (!database.checkpoint())
      throw Error(ErrorKind::Store, "the write-ahead log of keys.db could not be emptied; it is tried again");
  }

  Journal* journal;
  Mutex mutex;
  store::Database database GUARDED_BY(mutex);
  WrappingKey wrapping GUARDED_BY(mutex);
  std::map<std::int64_t, WrappingKey> epochs GUARDED_BY(mutex);
  VaultKeyPair vault;  // constant after construction, as is:
  RootKey siteRoot;
  std::vector<std::uint64_t> owed GUARDED_BY(mutex);  // tombstones that are written, keys that are still to go
};

}  // namespace postern::vault
