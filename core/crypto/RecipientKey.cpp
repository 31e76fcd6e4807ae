#include "core/crypto/RecipientKey.h"

#include <openssl/core_names.h>
#include <openssl/param_build.h>
#include <openssl/params.h>

#include "core/base/Codec.h"
#include "core/base/Error.h"

namespace postern::crypto {

namespace {

constexpr std::uint8_t FormVersion = 1;
constexpr std::uint8_t GcmFlag = 1;
constexpr std::uint8_t OaepFlag = 2;

using ParametersPtr = OpenSslPtr<OSSL_PARAM, &OSSL_PARAM_free>;
using ParametersBuilderPtr = OpenSslPtr<OSSL_PARAM_BLD, &OSSL_PARAM_BLD_free>;

std::size_t fieldSize(KeyKind kind) {
  switch (kind) {
    case KeyKind::P256: return 32;
    case KeyKind::P384: return 48;
    case KeyKind::P521: return 66;
    case KeyKind::Rsa:
    case KeyKind::Unsupported: break;
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

PkeyPtr keyFrom(const char* type, OSSL_PARAM* parameters) {
  PkeyContextPtr context(check(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr), "load a public key"));
  check(EVP_PKEY_fromdata_init(context.get()), "load a public key");
  EVP_PKEY* key = nullptr;
  check(EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, parameters), "load a public key");
  return PkeyPtr(key);
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
  if (kind == KeyKind::Rsa) {
    const auto n = numberOf(modulus);
    const auto e = numberOf(exponent);
    // A key that was damaged in the store must not turn into one that hides nothing.
    if (BN_num_bits(n.get()) < 2048 || BN_num_bits(n.get()) > 8192 || !BN_is_odd(n.get()) || BN_num_bits(e.get()) < 17)
      throw Error(ErrorKind::Crypto, "a stored RSA key is damaged");
    ParametersBuilderPtr builder(check(OSSL_PARAM_BLD_new(), "load a public key"));
    check(OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, n.get()), "load a public key");
    check(OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, e.get()), "load a public key");
    const ParametersPtr parameters(check(OSSL_PARAM_BLD_to_param(builder.get()), "load a public key"));
    return keyFrom("RSA", parameters.get());
  }
  const auto size = fieldSize(kind);
  if (size == 0 || point.size() != 1 + 2 * size || point[0] != 4)
    throw Error(ErrorKind::Crypto, "a stored EC key is damaged");
  std::string group = kind == KeyKind::P256 ? "prime256v1" : kind == KeyKind::P384 ? "secp384r1" : "secp521r1";
  std::string bytes = point;
  std::array<OSSL_PARAM, 3> parameters{
      OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group.data(), 0),
      OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, bytes.data(), bytes.size()), OSSL_PARAM_construct_end()};
  return keyFrom("EC", parameters.data());
}

}  // namespace postern::crypto
