#pragma once
#include "core/base/Secret.h"

#include <filesystem>
#include <map>
#include <string>
#include <string_view>

namespace postern::vault {

// 32 bytes on which all other keys hang. The site's root key wraps the keys in keys.db: lose it and the vault is lost;
// it is never in a backup of the data. Where it is kept: RootKeySource. Immutable.
class RootKey {
public:
  static constexpr std::size_t Size = 32;

  // Makes a new key at `path` with mode 0600. Error(Config) when the file is already there.
  static RootKey create(const std::filesystem::path& path);
  // Error(Config) when the file is missing, is not 64 hexadecimal digits, or can be read by group or others.
  static RootKey load(const std::filesystem::path& path);
  // As load, where the system and not the mode says who may read: systemd credentials. Also takes 32 raw bytes.
  static RootKey loadAnyOwner(const std::filesystem::path& path);
  // Writes the key to a new file as create() does.
  static void store(const std::filesystem::path& path, const RootKey& key);
  static RootKey generate();                      // not stored anywhere
  static RootKey fromBytes(const Secret& bytes);  // Error(Config) when it is not 32 bytes
  // A key of which some derived keys are given (KeyStore::siteRoot).
  static RootKey withFixed(const Secret& bytes, std::map<std::string, Secret> fixed);

  // HKDF-SHA256 of the key under a label: the same label always gives the same key.
  Secret derive(std::string_view label, std::size_t size = 32) const;
  // Tells root keys apart and nothing else: 16 bytes.
  std::string checkValue() const;
  const Secret& bytes() const { return key_; }

  static constexpr std::string_view QueueKey = "postern queue v1";        // seals copies at rest in the gateway
  static constexpr std::string_view WrappingKey = "postern wrapping v1";  // wraps epoch and private keys in keys.db
  static constexpr std::string_view VerpKey = "postern verp v1";          // tags in bounce addresses
  static constexpr std::string_view CookieKey = "postern cookie v1";      // session cookies and one-time links
  static constexpr std::string_view TokenKey = "postern token v1";        // confirmation tokens
  static constexpr std::string_view AuditKey = "postern audit v1";        // chain of the audit log
  static constexpr std::string_view BackupKey = "postern key backup v1";  // seals backups of keys.db

private:
  explicit RootKey(Secret key) : key_(std::move(key)) {}
  Secret key_;
  std::map<std::string, Secret> fixed_;
};

}  // namespace postern::vault
