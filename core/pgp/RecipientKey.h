#pragma once
#include "core/base/Clock.h"
#include "core/crypto/OpenSsl.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace postern::pgp {

class PublicKey;
struct KeyReport;

enum class KeyKind : std::uint8_t { Unsupported = 0, Rsa = 1, Curve25519 = 2, P256 = 3, P384 = 4, P521 = 5 };
const char* keyKindName(KeyKind kind);  // "rsa" "cv25519" "nistp256" "nistp384" "nistp521" "unsupported"

// What sealing needs of a recipient's key, in a form that is cheap to store and load. Made from a key that check()
// found valid; the point is validated here and trusted later. It is good until KeyReport::expires.
struct RecipientKey {
  KeyKind kind = KeyKind::Unsupported;
  std::uint8_t algorithm = 0;  // RFC 4880 §9.1: 1 or 2 for RSA, 18 for ECDH
  std::string modulus;         // RSA, big-endian
  std::string exponent;        // RSA, big-endian
  std::string point;           // NIST: 04 x y; Curve25519: 32 bytes, without the 40 before them
  std::uint8_t kdfHash = 0;    // ECDH: 8, 9 or 10 (SHA-256, -384, -512) as the key says (RFC 6637 §9)
  std::uint8_t kdfCipher = 0;  // ECDH: 7, 8 or 9 (AES-128, -192, -256)
  std::string fingerprint;     // of the part that is encrypted to, 20 bytes
  std::string keyFingerprint;  // of the primary key, 20 bytes: what people compare

  // Nothing if nothing of the key can be encrypted to at `now`.
  // Errors: throws Error(Crypto) for numbers that are no key.
  static std::optional<RecipientKey> of(const PublicKey& key, TimePoint now);
  static std::optional<RecipientKey> of(const PublicKey& key, const KeyReport& report);

  std::string encode() const;
  static RecipientKey decode(std::string_view bytes);  // throws Error(Malformed)

  std::string_view keyId() const { return std::string_view(fingerprint).substr(12); }
  // Errors: throws Error(Crypto) if the numbers are no key.
  crypto::PkeyPtr openSslKey() const;

  bool operator==(const RecipientKey&) const = default;
};

}  // namespace postern::pgp
