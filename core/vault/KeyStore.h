#pragma once
#include "core/base/Clock.h"
#include "core/base/Secret.h"
#include "core/store/SegmentLog.h"
#include "core/vault/RootKey.h"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace postern::vault {

// DATA/keys/keys.db: every private or content key of the site, each wrapped (AES-256-GCM) by the one above it: the root
// key wraps epoch keys, the vault's private key and the lists' signing keys; a list's epoch key wraps the object keys
// of that list and time. Deleted rows are overwritten, so destroying a key destroys what it sealed, also in backups of
// the content. Threads: safe for all. Errors: Error(Store), Error(DiskFull), Error(Crypto) when a key was wrapped by
// another root key.
class KeyStore {
public:
  KeyStore(const std::filesystem::path& file, const RootKey& root);
  ~KeyStore();
  KeyStore(const KeyStore&) = delete;
  KeyStore& operator=(const KeyStore&) = delete;

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

  // Private keys of the site itself, wrapped under the root: "audit" signs checkpoints, "certificate" signs disposition
  // certificates. `publicPart` is stored beside in clear. Stored once per name; replaced whole.
  void storeSiteKey(std::string_view name, const Secret& key, std::string_view publicPart = {});
  std::optional<Secret> siteKey(std::string_view name) const;
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
  // The object cannot be read again. Gives its place back to reclaim, or nothing when there was no key.
  std::optional<store::RecordRef> destroyObjectKey(std::uint64_t objectId);
  std::vector<store::RecordRef> places() const;

  void backupTo(const std::filesystem::path& target) const;

private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace postern::vault
