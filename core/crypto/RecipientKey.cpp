#include "core/crypto/RecipientKey.h"

#include "core/base/Codec.h"
#include "core/base/Error.h"

#include <openssl/core_names.h>
#include <openssl/params.h>

#include <array>

namespace postern::crypto {

namespace {

constexpr std::uint8_t FormVersion = 1;
constexpr std::uint8_t GcmFlag = 1;
constexpr std::uint8_t OaepFlag = 2;

std::size_t fieldSize(KeyKind kind) {
  switch (kind) {
    case KeyKind::P256:
      return 32;
    case KeyKind::P384:
      return 48;
    case KeyKind::P521:
      return 66;
    case KeyKind::Rsa:
    case KeyKind::Unsupported:
      break;
  }
  return 0;
}

// `size` 0: as long as the number is.
std::string numberOf(EVP_PKEY* key, const char* name, std::size_t size = 0) {
  BIGNUM* raw = nullptr;
  check(EVP_PKEY_get_bn_param(key, name, &raw), "read a public key");
  const BignumPtr number(raw);
  std::string bytes(size > 0 ? size : static_cast<std::size_t>(BN_num_bytes(raw)), '\0');
  check(BN_bn2binpad(raw, bytesOf(bytes), static_cast<int>(bytes.size())), "read a public key");
  return bytes;
}

BignumPtr numberOf(std::string_view bytes) {
  return BignumPtr(check(BN_bin2bn(bytesOf(bytes), static_cast<int>(bytes.size()), nullptr), "read a number"));
}

PkeyPtr keyFrom(const char* type, int selection, OSSL_PARAM* parameters) {
  PkeyContextPtr context(check(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr), "load a public key"));
  check(EVP_PKEY_fromdata_init(context.get()), "load a public key");
  EVP_PKEY* key = nullptr;
  check(EVP_PKEY_fromdata(context.get(), &key, selection, parameters), "load a public key");
  return PkeyPtr(key);
}

PkeyPtr curveOf(const char* name) {
  std::string group = name;
  std::array<OSSL_PARAM, 2> parameters{OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group.data(), 0),
                                       OSSL_PARAM_construct_end()};
  return keyFrom("EC", EVP_PKEY_KEY_PARAMETERS, parameters.data());
}

// The curves without a key on them. Copying one and setting a point costs a quarter of loading the curve by name.
EVP_PKEY* curveOf(KeyKind kind) {
  static const PkeyPtr p256 = curveOf("prime256v1");
  static const PkeyPtr p384 = curveOf("secp384r1");
  static const PkeyPtr p521 = curveOf("secp521r1");
  return kind == KeyKind::P256 ? p256.get() : kind == KeyKind::P384 ? p384.get() : p521.get();
}

PkeyPtr rsaKeyOf(std::string_view modulus, std::string_view exponent) {
  const auto n = numberOf(modulus);
  const auto e = numberOf(exponent);
  // A key that was damaged in the store must not turn into one that hides nothing.
  if (BN_num_bits(n.get()) < 2048 || BN_num_bits(n.get()) > 8192 || !BN_is_odd(n.get()) || BN_num_bits(e.get()) < 17)
    throw Error(ErrorKind::Crypto, "a stored RSA key is damaged");
  std::string nativeModulus(modulus.size(), '\0');
  std::string nativeExponent(exponent.size(), '\0');
  check(BN_bn2nativepad(n.get(), bytesOf(nativeModulus), static_cast<int>(modulus.size())), "load a public key");
  check(BN_bn2nativepad(e.get(), bytesOf(nativeExponent), static_cast<int>(exponent.size())), "load a public key");
  std::array<OSSL_PARAM, 3> parameters{
      OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_RSA_N, bytesOf(nativeModulus), nativeModulus.size()),
      OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_RSA_E, bytesOf(nativeExponent), nativeExponent.size()),
      OSSL_PARAM_construct_end()};
  return keyFrom("RSA", EVP_PKEY_PUBLIC_KEY, parameters.data());
}

PkeyPtr ecKeyOf(KeyKind kind, std::string_view point) {
  const auto size = fieldSize(kind);
  if (size == 0 || point.size() != 1 + 2 * size || point[0] != 4)
    throw Error(ErrorKind::Crypto, "a stored EC key is damaged");
  PkeyPtr key(check(EVP_PKEY_dup(curveOf(kind)), "load a public key"));
  // Refuses a point that is not on the curve.
  check(EVP_PKEY_set1_encoded_public_key(key.get(), bytesOf(point), point.size()), "load a public key");
  return key;
}

}  // namespace

RecipientKey RecipientKey::of(const Certificate& certificate) {
  RecipientKey result;
  result.kind = certificate.keyKind();
  result.issuerAndSerial = certificate.issuerAndSerial();
  result.subjectKeyId = certificate.subjectKeyId();
  EVP_PKEY* key = X509_get0_pubkey(certificate.handle());
  if (result.kind == KeyKind::Unsupported)
    throw Error(ErrorKind::Crypto, "cannot encrypt to a key of the kind " + certificate.algorithm());
  if (result.kind == KeyKind::Rsa) {
    result.modulus = numberOf(key, OSSL_PKEY_PARAM_RSA_N);
    result.exponent = numberOf(key, OSSL_PKEY_PARAM_RSA_E);
    return result;
  }
  PkeyContextPtr context(check(EVP_PKEY_CTX_new(key, nullptr), "check a public key"));
  check(EVP_PKEY_public_check(context.get()), "check a public key");
  const auto size = fieldSize(result.kind);
  result.point = "\x04" + numberOf(key, OSSL_PKEY_PARAM_EC_PUB_X, size) + numberOf(key, OSSL_PKEY_PARAM_EC_PUB_Y, size);
  return result;
}

std::string RecipientKey::encode() const {
  Writer writer;
  writer.u8(FormVersion).u8(static_cast<std::uint8_t>(kind));
  writer.u8(static_cast<std::uint8_t>((readsGcm ? GcmFlag : 0) | (readsOaep ? OaepFlag : 0)));
  writer.string(modulus).string(exponent).string(point).string(issuerAndSerial).string(subjectKeyId);
  return std::move(writer).bytes();
}

RecipientKey RecipientKey::decode(std::string_view bytes) {
  Reader reader(bytes);
  if (reader.u8() != FormVersion) throw Error(ErrorKind::Malformed, "a stored recipient key has an unknown form");
  RecipientKey key;
  const auto kind = reader.u8();
  if (kind < static_cast<std::uint8_t>(KeyKind::Rsa) || kind > static_cast<std::uint8_t>(KeyKind::P521))
    throw Error(ErrorKind::Malformed, "a stored recipient key has an unknown kind");
  key.kind = static_cast<KeyKind>(kind);
  const auto flags = reader.u8();
  key.readsGcm = (flags & GcmFlag) != 0;
  key.readsOaep = (flags & OaepFlag) != 0;
  key.modulus = reader.string();
  key.exponent = reader.string();
  key.point = reader.string();
  key.issuerAndSerial = reader.string();
  key.subjectKeyId = reader.string();
  reader.expectEnd();
  return key;
}

PkeyPtr RecipientKey::openSslKey() const {
  return kind == KeyKind::Rsa ? rsaKeyOf(modulus, exponent) : ecKeyOf(kind, point);
}

}  // namespace postern::crypto
