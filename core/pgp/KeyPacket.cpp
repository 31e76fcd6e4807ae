#include "core/pgp/KeyPacket.h"

#include "core/pgp/Packets.h"

#include <openssl/sha.h>

#include <array>

namespace postern::pgp {

namespace {

using namespace std::string_view_literals;

constexpr std::size_t MaxRsaBits = 8192;
constexpr std::size_t MaxExponentBits = 32;
constexpr std::size_t MaxDsaBits = 4096;
constexpr unsigned LeastBits = 2048;

struct Curve {
  std::string_view oid;
  const char* name;
  KeyKind kind;
  unsigned bits;
  std::size_t pointSize;
};
constexpr std::array Curves = {
    Curve{"\x2b\x06\x01\x04\x01\x97\x55\x01\x05\x01"sv, "cv25519", KeyKind::Curve25519, 255, 33},
    Curve{"\x2b\x06\x01\x04\x01\xda\x47\x0f\x01"sv, "ed25519", KeyKind::Unsupported, 255, 33},
    Curve{"\x2a\x86\x48\xce\x3d\x03\x01\x07"sv, "nistp256", KeyKind::P256, 256, 65},
    Curve{"\x2b\x81\x04\x00\x22"sv, "nistp384", KeyKind::P384, 384, 97},
    Curve{"\x2b\x81\x04\x00\x23"sv, "nistp521", KeyKind::P521, 521, 133},
};

enum Algorithm : std::uint8_t {
  Rsa = 1,
  RsaEncrypt = 2,
  RsaSign = 3,
  Elgamal = 16,
  Dsa = 17,
  Ecdh = 18,
  Ecdsa = 19,
  EdDsa = 22
};

bool readRsa(FieldReader& fields, KeyPacket& key) {
  const auto modulus = fields.mpi(MaxRsaBits);
  const auto exponent = fields.mpi(MaxExponentBits);
  if (!fields.ok() || modulus.empty() || exponent.empty()) return false;
  key.bits = static_cast<unsigned>(modulus.size() * 8);
  for (auto first = static_cast<unsigned char>(modulus[0]); (first & 0x80) == 0;
       first = static_cast<unsigned char>(first << 1))
    --key.bits;
  const bool odd = (modulus.back() & 1) != 0 && (exponent.back() & 1) != 0;
  const bool one = exponent.size() == 1 && exponent[0] == 1;
  key.name = "RSA " + std::to_string(key.bits);
  key.supported = odd && !one && key.bits >= 1024;
  key.weak = key.bits < LeastBits;
  // A small exponent is no use to encrypt to: with it, what is common to two copies could be found out.
  const bool smallExponent = exponent.size() < 3;
  if (!key.supported || key.algorithm == RsaSign || smallExponent) return true;
  key.recipient.kind = KeyKind::Rsa;
  key.recipient.modulus = modulus;
  key.recipient.exponent = exponent;
  return true;
}

bool readDsa(FieldReader& fields, KeyPacket& key) {
  const auto p = fields.mpi(MaxDsaBits);
  for (const std::size_t most : {std::size_t(512), MaxDsaBits, MaxDsaBits}) fields.mpi(most);
  if (!fields.ok() || p.empty()) return false;
  key.bits = static_cast<unsigned>(p.size() * 8);
  key.name = "DSA " + std::to_string(key.bits);
  key.supported = true;
  key.weak = key.bits < LeastBits;
  return true;
}

bool readElgamal(FieldReader& fields, KeyPacket& key) {
  const auto p = fields.mpi(MaxRsaBits);
  fields.mpi(MaxRsaBits);
  fields.mpi(MaxRsaBits);
  key.bits = static_cast<unsigned>(p.size() * 8);
  key.name = "Elgamal " + std::to_string(key.bits);
  return fields.ok();
}

const char* prefixOf(std::uint8_t algorithm) {
  return algorithm == Ecdh ? "ECDH " : algorithm == Ecdsa ? "ECDSA " : "EdDSA ";
}

bool readCurve(FieldReader& fields, KeyPacket& key) {
  const auto oid = fields.raw(fields.number(1));
  const auto point = fields.mpi(8 * 133);
  if (!fields.ok()) return false;
  const Curve* curve = nullptr;
  for (const auto& known : Curves)
    if (known.oid == oid) curve = &known;
  key.name = std::string(prefixOf(key.algorithm)) + (curve ? curve->name : "with a curve that is not known");
  std::string_view kdf;
  if (key.algorithm == Ecdh) {
    kdf = fields.raw(fields.number(1));
    if (!fields.ok()) return false;
  }
  if (!curve || point.size() != curve->pointSize) return true;
  const bool nist = curve->pointSize > 33;
  if (point[0] != (nist ? 0x04 : 0x40)) return true;
  key.bits = curve->bits;
  if (key.algorithm == EdDsa) {
    key.supported = curve->name == "ed25519"sv;
  } else if (key.algorithm == Ecdsa) {
    key.supported = nist;
  } else if (curve->kind != KeyKind::Unsupported && kdf.size() == 3 && kdf[0] == 1 && kdf[1] >= 8 && kdf[1] <= 10 &&
             kdf[2] >= 7 && kdf[2] <= 9) {
    key.supported = true;
    key.recipient.kind = curve->kind;
    key.recipient.point = point.substr(nist ? 0 : 1);
    key.recipient.kdfHash = static_cast<std::uint8_t>(kdf[1]);
    key.recipient.kdfCipher = static_cast<std::uint8_t>(kdf[2]);
  }
  return true;
}

bool readNumbers(FieldReader& fields, KeyPacket& key) {
  switch (key.algorithm) {
    case Rsa:
    case RsaEncrypt:
    case RsaSign:
      return readRsa(fields, key);
    case Dsa:
      return readDsa(fields, key);
    case Elgamal:
      return readElgamal(fields, key);
    case Ecdh:
    case Ecdsa:
    case EdDsa:
      return readCurve(fields, key);
    default:
      key.name = "algorithm " + std::to_string(key.algorithm);
      fields.raw(fields.rest().size());
      return true;
  }
}

// RFC 4880 §12.2
std::string fingerprintOf(std::string_view publicPart) {
  const char start[3] = {'\x99', static_cast<char>(publicPart.size() >> 8),
                         static_cast<char>(publicPart.size() & 0xff)};
  const auto hashed = std::string(start, 3).append(publicPart);
  std::string digest(SHA_DIGEST_LENGTH, '\0');
  SHA1(crypto::bytesOf(hashed), hashed.size(), crypto::bytesOf(digest));
  return digest;
}

// The issuer among the subpackets (RFC 4880 §5.2.3.1), by key id or by fingerprint.
bool findIssuer(std::string_view area, std::string& issuer) {
  constexpr std::uint8_t IssuerKeyId = 16;
  constexpr std::uint8_t IssuerFingerprint = 33;
  FieldReader fields(area);
  while (!fields.atEnd()) {
    std::size_t length = fields.number(1);
    if (length == 255)
      length = fields.number(4);
    else if (length >= 192)
      length = ((length - 192) << 8) + fields.number(1) + 192;
    const auto content = fields.raw(length);
    if (!fields.ok() || content.empty()) return false;
    const auto type = static_cast<unsigned char>(content[0]) & 0x7f;
    if (type == IssuerKeyId && content.size() == 9) issuer = content.substr(1);
    if (type == IssuerFingerprint && content.size() == 22 && content[1] == 4) issuer = content.substr(14);
  }
  return true;
}

}  // namespace

std::optional<KeyPacket> readKeyPacket(std::string_view body) {
  FieldReader fields(body);
  KeyPacket key;
  key.version = static_cast<std::uint8_t>(fields.number(1));
  if (!fields.ok()) return std::nullopt;
  if (key.version != 4) {
    key.name = "version " + std::to_string(key.version);
    return key;
  }
  key.created = fields.number(4);
  key.algorithm = static_cast<std::uint8_t>(fields.number(1));
  if (!fields.ok() || body.size() > 0xffff || !readNumbers(fields, key) || !fields.ok()) return std::nullopt;
  key.publicSize = body.size() - fields.rest().size();
  key.fingerprint = fingerprintOf(body.substr(0, key.publicSize));
  key.recipient.algorithm = key.algorithm;
  key.recipient.fingerprint = key.fingerprint;
  return key;
}

std::optional<std::string> signatureIssuer(std::string_view body) {
  FieldReader fields(body);
  if (fields.number(1) != 4) return std::nullopt;
  fields.raw(3);  // type, algorithm, digest
  const auto hashed = fields.raw(fields.number(2));
  const auto unhashed = fields.raw(fields.number(2));
  std::string issuer;
  if (!fields.ok() || !findIssuer(unhashed, issuer) || !findIssuer(hashed, issuer)) return std::nullopt;
  return issuer;
}

}  // namespace postern::pgp
