#pragma once
#include "core/base/Secret.h"

#include <filesystem>
#include <string_view>

namespace postern::vault {

// The site's root key: 32 bytes in a file as 64 hexadecimal digits, mode 0600. All other keys hang on it: lose it and
// the vault is lost; it is never in a backup of the data. Immutable.
class RootKey {
public:
  // Makes a new key at `path` with mode 0600. Error(Config) when the file is already there.
  static RootKey create(const std::filesystem::path& path);
  // Error(Config) when the file is missing, is not 64 hexadecimal digits, or can be read by group or others.
  static RootKey load(const std::filesystem::path& path);

  // HKDF-SHA256 of the root key under a label: the same label always gives the same key.
  Secret derive(std::string_view label, std::size_t size = 32) const;

  static constexpr std::string_view QueueKey = "postern queue v1";        // seals copies at rest in the gateway
  static constexpr std::string_view WrappingKey = "postern wrapping v1";  // wraps epoch and private keys in keys.db
  static constexpr std::string_view VerpKey = "postern verp v1";          // tags in bounce addresses
  static constexpr std::string_view CookieKey = "postern cookie v1";      // session cookies and one-time links
  static constexpr std::string_view TokenKey = "postern token v1";        // confirmation tokens
  static constexpr std::string_view AuditKey = "postern audit v1";        // chain of the audit log

private:
  explicit RootKey(Secret key) : key_(std::move(key)) {}
  Secret key_;
};

}  // namespace postern::vault
