#pragma once
#include "core/base/Clock.h"
#include "core/base/Secret.h"
#include "core/store/Database.h"
#include "core/store/SegmentLog.h"
#include "core/vault/Journal.h"
#include "core/vault/RootKey.h"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace postern::vault {

class RootKeySource;

// DATA/keys/keys.db: every private or content key of the site, each wrapped (AES-256-GCM) by the one above it: the root
// key wraps epoch keys, the vault's private key, the site's and the lists' private keys; a list's epoch key wraps the
// object keys of that list and time. Deleted rows are overwritten, so destroying a key destroys what it sealed, also in
// backups of the content. With a journal, keys whose tombstones it holds are destroyed before the constructor returns;
// one that has fewer records than were applied here is distrusted.
// Threads: safe for all. Errors: Error(Store), Error(DiskFull), Error(Crypto) when a key was wrapped by another root
// key.
class KeyStore {
public:
  KeyStore(const std::filesystem::path& file, const RootKey& root, Journal* journal = nullptr);
  // Takes the root key from its source; ends a change of root key that was interrupted.
  KeyStore(const std::filesystem::path& file, RootKeySource& source, Journal* journal = nullptr);
  ~KeyStore();
  KeyStore(const KeyStore&) = delete;
  KeyStore& operator=(const KeyStore&) = delete;

  // What queue, bounce addresses, cookies, tokens and indexes derive their keys from: stays the same when the root key
  // is changed (docs/decisions/0012).
  const RootKey& siteRoot() const;

  // The key pair that accepted mail is sealed to; made on first use.
  struct VaultKeyPair {
    std::string publicKey;  // 32 bytes, X25519
    Secret privateKey;      // 32 bytes
  };
  const VaultKeyPair& vaultKeyPair() const;

  // The private key that signs a list's posts (PKCS#8 DER or PEM, as given). Stored once per list and name; replaced
  // whole.
  void storeSigningKey(std::uint64_t listId, std::string_view name, const Secret& key);
  std::optional<Secret> signingKey(std::uint64_t listId, std::string_view name) const;
  void destroySigningKey(std::uint64_t listId, std::string_view name);
  void destroySigningKeys(std::uint64_t listId);  // all of the list
  struct SigningKeyName {
    std::uint64_t listId = 0;
    std::string name;
  };
  std::vector<SigningKeyName> signingKeys() const;  // of all lists

  // Private keys of the site itself, wrapped under the root: "audit" signs checkpoints, "certificate" signs disposition
  // certificates. `publicPart` is stored beside in clear. Stored once per name; replaced whole.
  void storeSiteKey(std::string_view name, const Secret& key, std::string_view publicPart = {});
  std::optional<Secret> siteKey(std::string_view name) const;
  void destroySiteKey(std::string_view name);
  std::optional<std::string> siteKeyPublicPart(std::string_view name) const;

  // Object keys, for the Vault. A key is stored with the place of what it seals.
  struct ObjectKey {
    Secret key;
    std::uint64_t listId = 0;
    store::RecordRef place;
  };
  struct NewObjectKey {
    std::uint64_t objectId = 0;
    ObjectKey key;
  };
  // All in one commit. False for an object that already has a key; nothing changes for it then.
  std::vector<bool> storeObjectKeys(const std::vector<NewObjectKey>& keys, TimePoint now);
  std::optional<ObjectKey> objectKey(std::uint64_t objectId) const;
  bool hasObjectKey(std::uint64_t objectId) const;
  bool hasAnyObjectKey(std::span<const std::uint64_t> objectIds) const;

  // The objects cannot be read again: tombstones in the journal first, then one commit, then the write-ahead log is
  // emptied. Repeats and unknown objects are fine. Returns the objects that had a key, with their places, which are
  // remembered as freed until forgetFreed(). When another program reads the file, the write-ahead log cannot be
  // emptied: the keys are gone from keys.db, remnants() says so, and each further call or start tries again. Whatever
  // fails behind the journal: the objects count as destroyed from then on, and the next call or start takes their rows.
  struct FreedPlace {
    std::int64_t id = 0;
    store::RecordRef place;
  };
  struct Destroyed {
    std::uint64_t objectId = 0;
    FreedPlace freed;
  };
  // LogLater: the write-ahead log is left as it is, for one of many calls in a row; a call without it must follow.
  enum class AfterDestroying { EmptyLog, LogLater };
  std::vector<Destroyed> destroyObjectKeys(std::span<const std::uint64_t> objectIds,
                                           AfterDestroying after = AfterDestroying::EmptyLog);
  // The write-ahead log of keys.db may still have wrapped keys that were destroyed or replaced.
  bool remnants() const;
  // Places of destroyed objects whose content was not wiped yet, oldest first.
  std::vector<FreedPlace> freedPlaces(std::size_t most) const;
  void forgetFreed(std::span<const FreedPlace> places);

  // What the vault must know at start, without reading every key.
  struct SegmentCount {
    std::uint64_t segment = 0;
    std::uint64_t objects = 0;
  };
  std::vector<SegmentCount> segmentCounts() const;
  std::vector<store::RecordRef> placesOver(
      std::uint32_t length) const;               // length: that of separate bodies, 4 MB or more
  std::vector<store::RecordRef> places() const;  // all: for tests and checks
  std::uint64_t objects() const;

  // ---- changing keys. Everything can be read at any moment of it, whenever the process dies.

  struct EpochFacts {
    std::uint64_t id = 0;
    std::uint64_t listId = 0;
    TimePoint createdAt;
    std::uint64_t objects = 0;
    bool current = false;  // the newest of its list
  };
  std::vector<EpochFacts> epochs() const;
  std::vector<std::uint64_t> listsWithKeys() const;
  // A new epoch key for the list; returns its id. New objects take it from now on.
  std::uint64_t startEpoch(std::uint64_t listId, TimePoint now);
  // Wraps up to `most` object keys of older epochs than `epoch` of its list anew; destroys an older epoch key once no
  // object hangs on it. How many were done; 0: all are.
  std::uint64_t rewrapObjectKeys(std::uint64_t epoch, std::size_t most);
  std::uint64_t objectsBefore(std::uint64_t epoch) const;  // still under older epochs of that list

  struct RootFacts {
    std::uint64_t epoch = 0;  // counts from 1
    TimePoint since;
    std::string checkValue;
  };
  RootFacts rootFacts() const;
  // Wraps every key that hangs on the root key anew, in one transaction; how many. Afterwards the old root key opens
  // nothing here. The caller has made the new key durable before (RootKeySource::prepareNext).
  std::uint64_t changeRoot(const RootKey& next, TimePoint now);

  // Unwraps every key in a copy of keys.db. Error(Crypto) for the first that does not open.
  static void checkWrapped(store::Database& database, const RootKey& root);
  static void countIn(store::Database& database, std::uint64_t& epochs, std::uint64_t& objects);
  // A consistent copy of the file, as it is: still wrapped. See KeyBackup.
  void backupTo(const std::filesystem::path& target) const;
  struct BackupFacts {
    TimePoint at;
    std::string name;
  };
  std::optional<BackupFacts> newestBackup() const;
  void noteBackup(const BackupFacts& backup);

  Journal* journal() const;

private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace postern::vault
