#pragma once
#include "core/base/Secret.h"
#include "core/crypto/OpenSsl.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace postern::mailauth {

enum class KeyKind : std::uint8_t { Rsa, Ed25519 };
const char* algorithmOf(KeyKind kind);  // "rsa-sha256", "ed25519-sha256"

// The TXT record of a selector (RFC 6376 §3.6.1, RFC 8463 §4).
struct KeyRecord {
  std::string problem;  // why it cannot be used; empty: it can
  KeyKind kind = KeyKind::Rsa;
  std::shared_ptr<EVP_PKEY> key;
  unsigned bits = 0;
  bool revoked = false;  // "p=" is empty
  bool testing = false;  // t=y
  bool strict = false;   // t=s: the identity must be of the very domain
};
KeyRecord readKeyRecord(std::string_view txt);

// Verifies `signature` over the bytes of a header; RSA with PKCS#1 v1.5, Ed25519 over their SHA-256.
bool verifies(const KeyRecord& key, std::string_view bytes, std::string_view signature);

// A private key with which mail is signed. Cheap to copy. Threads: safe for all. Errors: throw Error(Crypto).
class SigningKey {
public:
  static SigningKey create(KeyKind kind);            // RSA: 2048 bits
  static SigningKey import(const Secret& pkcs8Der);  // also a PEM text, for tests and imports
  Secret exportDer() const;

  KeyKind kind() const { return kind_; }
  std::string record() const;  // "v=DKIM1; k=rsa; p=…"
  std::string sign(std::string_view bytes) const;

private:
  SigningKey(KeyKind kind, std::shared_ptr<EVP_PKEY> key) : kind_(kind), key_(std::move(key)) {}
  KeyKind kind_;
  std::shared_ptr<EVP_PKEY> key_;
};

}  // namespace postern::mailauth
