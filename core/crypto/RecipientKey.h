#pragma once
#include "core/crypto/Certificate.h"

#include <string>
#include <string_view>

namespace postern::crypto {

// What sealing needs of a recipient's certificate, in a form that is cheap to store and load: parsing a certificate
// costs seven times a key wrap. Made from a certificate that check() found valid; the EC point is validated here and
// trusted later.
struct RecipientKey {
  KeyKind kind = KeyKind::Unsupported;
  std::string modulus;          // RSA, big-endian
  std::string exponent;         // RSA, big-endian
  std::string point;            // EC, uncompressed: 04 x y
  std::string issuerAndSerial;  // DER, RFC 5652 §10.2.4
  std::string subjectKeyId;     // may be empty
  bool readsGcm = false;        // the member's program reads AuthEnvelopedData (RFC 5083)
  bool readsOaep = false;       // … and RSAES-OAEP with SHA-256

  // Errors: throws Error(Crypto) for a key kind that is not supported.
  static RecipientKey of(const Certificate& certificate);

  std::string encode() const;
  static RecipientKey decode(std::string_view bytes);  // throws Error(Malformed)

  // Errors: throws Error(Crypto) if the numbers are no key.
  PkeyPtr openSslKey() const;

  bool operator==(const RecipientKey&) const = default;
};

}  // namespace postern::crypto
