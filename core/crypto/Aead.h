#pragma once
#include "core/base/Secret.h"
#include "core/crypto/OpenSsl.h"

#include <cstddef>
#include <string>
#include <string_view>

namespace postern::crypto {

// AES-256-GCM under one key. Sealed form: 12 bytes random nonce, ciphertext, 16 bytes tag.
// `context` is authenticated and not stored: bind each record to its place (table, id) so that it cannot be moved.
// Invariant: a key seals at most 2^32 records (random nonces); take a fresh key per object or per file.
// Errors: open throws Error(Crypto) for bytes that were changed, cut, moved or sealed with another key.
// Threads: safe for all.
class AeadKey {
public:
  static constexpr std::size_t KeySize = 32;
  static constexpr std::size_t Overhead = 28;

  explicit AeadKey(Secret key);  // 32 bytes, else Error(Crypto)
  static Secret generate();

  std::string seal(std::string_view plain, std::string_view context) const;
  std::string open(std::string_view sealed, std::string_view context) const;

  // For wrapping keys with keys.
  std::string sealSecret(const Secret& plain, std::string_view context) const { return seal(plain.view(), context); }
  Secret openSecret(std::string_view sealed, std::string_view context) const;

private:
  Secret key_;
};

// The same form, for many small records with one key: the key schedule is kept, a record costs well under 1 us.
// Threads: one at a time.
class AeadRecords {
public:
  explicit AeadRecords(const Secret& key);
  void sealTo(std::string& out, std::string_view plain, std::string_view context);  // appends
  std::string seal(std::string_view plain, std::string_view context);
  std::string open(std::string_view sealed, std::string_view context);

private:
  CipherContextPtr sealing_;
  CipherContextPtr opening_;
};

}  // namespace postern::crypto
