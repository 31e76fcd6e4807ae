#pragma once
#include "core/base/Clock.h"
#include "core/base/Secret.h"
#include "core/pgp/PublicKey.h"

#include <chrono>
#include <string>
#include <string_view>

namespace postern::pgp {

enum class Revocation : std::uint8_t { NoReason, Superseded, Compromised, Retired };

// The OpenPGP key of a list: an Ed25519 primary key that certifies and signs, and a Curve25519 subkey for encryption
// (RFC 4880, version 4: what every program reads). The secret numbers are kept as they are, without a passphrase:
// whoever stores serialized() encrypts it.
// Threads: safe for all (immutable; changes give a new key). Errors: all throw Error(Crypto).
class SecretKey {
public:
  // User id "NAME <ADDRESS>"; what of the name does not belong there is taken out.
  static SecretKey create(std::string_view listName, std::string_view listAddress, TimePoint now,
                          std::chrono::seconds lifetime);
  static SecretKey parse(const Secret& serialized);

  Secret serialized() const { return bytes_; }
  const PublicKey& publicKey() const { return public_; }
  const std::string& fingerprint() const { return public_.fingerprint(); }  // lower-case hex

  // The same key, with both parts valid until `expires`.
  SecretKey extended(TimePoint now, TimePoint expires) const;
  // The same key, revoked: publicKey() is what is to be published then. It does not sign any more.
  SecretKey revoked(TimePoint now, Revocation reason, std::string_view text) const;

private:
  SecretKey(Secret bytes, PublicKey publicKey) : bytes_(std::move(bytes)), public_(std::move(publicKey)) {}
  Secret bytes_;  // transferable secret key, binary
  PublicKey public_;
};

}  // namespace postern::pgp
