#pragma once
#include "core/pgp/RecipientKey.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace postern::pgp {

// What a public key or subkey packet says, without any computation but its fingerprint.
struct KeyPacket {
  std::uint8_t version = 0;
  std::uint32_t created = 0;  // seconds since the epoch
  std::uint8_t algorithm = 0;
  std::string name;            // "RSA 3072", "ECDH cv25519", "version 6", "algorithm 99"
  unsigned bits = 0;           // of the modulus or of the field
  std::string fingerprint;     // 20 bytes; version 4 only
  bool supported = false;      // known version, algorithm, curve and sizes: librnp may see it
  bool weak = false;           // RSA or DSA below 2048 bits
  RecipientKey recipient;      // kind Unsupported if nothing can be encrypted to it
  std::size_t publicSize = 0;  // bytes of the body that are the public part: what follows is secret

  std::string_view keyId() const { return fingerprint.empty() ? "" : std::string_view(fingerprint).substr(12); }
};

// Nothing for a packet that cannot be read at all, or whose numbers are beyond the limits (RSA of more than 8192 bits,
// an exponent of more than 32 bits, …). Behind the public part more may stand (a secret key packet).
std::optional<KeyPacket> readKeyPacket(std::string_view body);

// The key id that a signature packet says it was made by (8 bytes); empty if it says nothing. Nothing for a packet
// that is no signature of version 4.
std::optional<std::string> signatureIssuer(std::string_view body);

}  // namespace postern::pgp
