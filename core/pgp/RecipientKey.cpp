#include "core/pgp/RecipientKey.h"

#include "core/base/Codec.h"
#include "core/base/Error.h"
#include "core/base/Secret.h"
#include "core/crypto/RecipientKey.h"
#include "core/pgp/PublicKeyContent.h"

namespace postern::pgp {

namespace {

using crypto::bytesOf;
using crypto::check;

constexpr std::uint8_t FormVersion = 1;
constexpr std::size_t X25519Size = 32;
constexpr std::size_t FingerprintSize = 20;

crypto::KeyKind kindOf(KeyKind kind) {
  switch (kind) {
    case KeyKind::Rsa:
      return crypto::KeyKind::Rsa;
    case KeyKind::P256:
      return crypto::KeyKind::P256;
    case KeyKind::P384:
      return crypto::KeyKind::P384;
    case KeyKind::P521:
      return crypto::KeyKind::P521;
    case KeyKind::Curve25519:
    case KeyKind::Unsupported:
      break;
  }
  return crypto::KeyKind::Unsupported;
}

// A point of small order agrees on nothing with anybody: OpenSSL refuses to derive with it.
void validate(const crypto::PkeyPtr& key, KeyKind kind) {
  if (kind == KeyKind::Rsa) return;
  crypto::PkeyContextPtr context;
  if (kind != KeyKind::Curve25519) {
    context.reset(check(EVP_PKEY_CTX_new(key.get(), nullptr), "check a public key"));
    check(EVP_PKEY_public_check(context.get()), "check a public key");
    return;
  }
  const crypto::PkeyPtr own(check(EVP_PKEY_Q_keygen(nullptr, nullptr, "X25519"), "check a public key"));
  context.reset(check(EVP_PKEY_CTX_new(own.get(), nullptr), "check a public key"));
  check(EVP_PKEY_derive_init(context.get()), "check a public key");
  check(EVP_PKEY_derive_set_peer(context.get(), key.get()), "check a public key");
  auto secret = Secret::ofSize(X25519Size);
  std::size_t size = secret.size();
  check(EVP_PKEY_derive(context.get(), secret.data(), &size), "check a public key");
}

}  // namespace

const char* keyKindName(KeyKind kind) {
  switch (kind) {
    case KeyKind::Rsa:
      return "rsa";
    case KeyKind::Curve25519:
      return "cv25519";
    case KeyKind::P256:
      return "nistp256";
    case KeyKind::P384:
      return "nistp384";
    case KeyKind::P521:
      return "nistp521";
    case KeyKind::Unsupported:
      break;
  }
  return "unsupported";
}

std::optional<RecipientKey> RecipientKey::of(const PublicKey& key, const KeyReport& report) {
  const auto& parts = key.content_->parts;
  if (!report.valid() || !report.chosen || *report.chosen >= parts.size() || report.fingerprint != key.fingerprint())
    return std::nullopt;
  auto result = parts[*report.chosen].recipient;
  result.keyFingerprint = parts.front().fingerprint;
  validate(result.openSslKey(), result.kind);
  return result;
}

std::optional<RecipientKey> RecipientKey::of(const PublicKey& key, TimePoint now) {
  return of(key, key.inspect(now));
}

std::string RecipientKey::encode() const {
  Writer writer;
  writer.u8(FormVersion).u8(static_cast<std::uint8_t>(kind)).u8(algorithm).u8(kdfHash).u8(kdfCipher);
  writer.string(modulus).string(exponent).string(point).raw(fingerprint).raw(keyFingerprint);
  return std::move(writer).bytes();
}

RecipientKey RecipientKey::decode(std::string_view bytes) {
  Reader reader(bytes);
  if (reader.u8() != FormVersion) throw Error(ErrorKind::Malformed, "a stored recipient key has an unknown form");
  RecipientKey key;
  key.kind = reader.enumeration(KeyKind::P521);
  key.algorithm = reader.u8();
  key.kdfHash = reader.u8();
  key.kdfCipher = reader.u8();
  key.modulus = reader.string();
  key.exponent = reader.string();
  key.point = reader.string();
  key.fingerprint = reader.raw(FingerprintSize);
  key.keyFingerprint = reader.raw(FingerprintSize);
  reader.expectEnd();
  const bool rsa = key.kind == KeyKind::Rsa && (key.algorithm == 1 || key.algorithm == 2);
  const bool ecdh = key.kind > KeyKind::Rsa && key.algorithm == 18 && key.kdfHash >= 8 && key.kdfHash <= 10 &&
                    key.kdfCipher >= 7 && key.kdfCipher <= 9;
  if (!rsa && !ecdh) throw Error(ErrorKind::Malformed, "a stored recipient key has an unknown kind");
  return key;
}

crypto::PkeyPtr RecipientKey::openSslKey() const {
  if (kind == KeyKind::Curve25519) {
    if (point.size() != X25519Size) throw Error(ErrorKind::Crypto, "a stored key of Curve25519 is damaged");
    return crypto::PkeyPtr(check(EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, nullptr, bytesOf(point), point.size()),
                                 "load a public key"));
  }
  crypto::RecipientKey key;
  key.kind = kindOf(kind);
  if (key.kind == crypto::KeyKind::Unsupported)
    throw Error(ErrorKind::Crypto, "cannot encrypt to an OpenPGP key of a kind that is not known");
  key.modulus = modulus;
  key.exponent = exponent;
  key.point = point;
  return key.openSslKey();
}

}  // namespace postern::pgp
