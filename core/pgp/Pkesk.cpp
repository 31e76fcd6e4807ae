#include "core/pgp/Pkesk.h"

#include "core/base/Error.h"
#include "core/pgp/Packets.h"

#include <openssl/core_names.h>
#include <openssl/rsa.h>

#include <algorithm>
#include <array>

namespace postern::pgp {

namespace {

using namespace std::string_view_literals;
using crypto::bytesOf;
using crypto::check;

constexpr std::uint8_t Version3 = 3;
constexpr std::uint8_t AlgorithmEcdh = 18;
constexpr std::size_t MaxFieldSize = 66;
constexpr std::size_t MaxWrapped = 64;

std::string_view curveOid(KeyKind kind) {
  switch (kind) {
    case KeyKind::Curve25519:
      return "\x0a\x2b\x06\x01\x04\x01\x97\x55\x01\x05\x01"sv;
    case KeyKind::P256:
      return "\x08\x2a\x86\x48\xce\x3d\x03\x01\x07"sv;
    case KeyKind::P384:
      return "\x05\x2b\x81\x04\x00\x22"sv;
    case KeyKind::P521:
      return "\x05\x2b\x81\x04\x00\x23"sv;
    case KeyKind::Rsa:
    case KeyKind::Unsupported:
      break;
  }
  throw Error(ErrorKind::Invariant, "a key that is on no curve was to be agreed with");
}

const EVP_MD* digest(std::uint8_t id) {
  static const crypto::DigestPtr sha384(EVP_MD_fetch(nullptr, "SHA384", nullptr));
  static const crypto::DigestPtr sha512(EVP_MD_fetch(nullptr, "SHA512", nullptr));
  switch (id) {
    case 8:
      return crypto::sha256Algorithm();
    case 9:
      return sha384.get();
    case 10:
      return sha512.get();
    default:
      throw Error(ErrorKind::Crypto, "an OpenPGP key asks for a digest that is not known");
  }
}

std::size_t keySize(std::uint8_t cipher) {
  if (cipher < 7 || cipher > 9) throw Error(ErrorKind::Crypto, "an OpenPGP key asks for a cipher that is not AES");
  return 16 + 8u * (cipher - 7u);
}

const EVP_CIPHER* wrapCipher(std::size_t size) {
  static const crypto::CipherPtr aes128(EVP_CIPHER_fetch(nullptr, "AES-128-WRAP", nullptr));
  static const crypto::CipherPtr aes192(EVP_CIPHER_fetch(nullptr, "AES-192-WRAP", nullptr));
  return size == 16 ? aes128.get() : size == 24 ? aes192.get() : crypto::aes256Wrap();
}

// The recipient's point was validated when the key was imported, and again (NIST) when it was loaded.
Secret agree(EVP_PKEY* ephemeral, EVP_PKEY* recipient) {
  crypto::PkeyContextPtr context(check(EVP_PKEY_CTX_new(ephemeral, nullptr), "agree on a wrapping key"));
  check(EVP_PKEY_derive_init(context.get()), "agree on a wrapping key");
  check(EVP_PKEY_derive_set_peer_ex(context.get(), recipient, 0), "agree on a wrapping key");
  auto secret = Secret::ofSize(MaxFieldSize);
  std::size_t size = secret.size();
  check(EVP_PKEY_derive(context.get(), secret.data(), &size), "agree on a wrapping key");
  return Secret(secret.view().substr(0, size));
}

// Padded to a multiple of eight (RFC 6637 §8), at least to 40 bytes, so that the length tells nothing.
Secret padded(const Secret& field) {
  const std::size_t size = std::max<std::size_t>(40, (field.size() / 8 + 1) * 8);
  auto result = Secret::ofSize(size);
  auto* at = std::copy_n(field.data(), field.size(), result.data());
  std::fill(at, result.data() + size, static_cast<unsigned char>(size - field.size()));
  return result;
}

std::string wrap(const Secret& wrappingKey, const Secret& plain) {
  crypto::CipherContextPtr context(check(EVP_CIPHER_CTX_new(), "wrap a session key"));
  EVP_CIPHER_CTX_set_flags(context.get(), EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
  check(EVP_EncryptInit_ex2(context.get(), wrapCipher(wrappingKey.size()), wrappingKey.data(), nullptr, nullptr),
        "wrap a session key");
  std::string wrapped(MaxWrapped, '\0');
  int length = 0;
  check(EVP_EncryptUpdate(context.get(), bytesOf(wrapped), &length, plain.data(), static_cast<int>(plain.size())),
        "wrap a session key");
  wrapped.resize(static_cast<std::size_t>(length));
  return wrapped;
}

std::string packetStart(const RecipientKey& recipient) {
  std::string body(1, static_cast<char>(Version3));
  return body.append(recipient.keyId()).append(1, static_cast<char>(recipient.algorithm));
}

}  // namespace

WrappingKey::WrappingKey(const RecipientKey& recipient) : key_(recipient.openSslKey()) {
  if (recipient.kind != KeyKind::Rsa) return;
  crypto::PkeyContextPtr context(check(EVP_PKEY_CTX_new(key_.get(), nullptr), "wrap a session key"));
  check(EVP_PKEY_encrypt_init(context.get()), "wrap a session key");
  check(EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_PADDING), "wrap a session key");
  encrypting_ = std::move(context);
}

std::string WrappingKey::encrypt(const Secret& sessionKey) {
  std::string wrapped(static_cast<std::size_t>(EVP_PKEY_get_size(key_.get())), '\0');
  std::size_t size = wrapped.size();
  MutexLock lock(mutex_);
  if (!encrypting_) throw Error(ErrorKind::Invariant, "a session key was to be encrypted to a key that is not RSA");
  check(EVP_PKEY_encrypt(encrypting_.get(), bytesOf(wrapped), &size, sessionKey.data(), sessionKey.size()),
        "wrap a session key");
  wrapped.resize(size);
  return wrapped;
}

EphemeralKey makeEphemeral(KeyKind curve) {
  EphemeralKey result;
  std::string point;
  std::size_t size = 0;
  if (curve == KeyKind::Curve25519) {
    result.key.reset(check(EVP_PKEY_Q_keygen(nullptr, nullptr, "X25519"), "make an ephemeral key"));
    point.assign(33, '\x40');
    size = 32;
    check(EVP_PKEY_get_raw_public_key(result.key.get(), bytesOf(point) + 1, &size), "write an ephemeral key");
    size = 33;
  } else {
    curveOid(curve);
    const char* name = curve == KeyKind::P256 ? "P-256" : curve == KeyKind::P384 ? "P-384" : "P-521";
    result.key.reset(check(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", name), "make an ephemeral key"));
    point.resize(1 + 2 * MaxFieldSize);
    check(
        EVP_PKEY_get_octet_string_param(result.key.get(), OSSL_PKEY_PARAM_PUB_KEY, bytesOf(point), point.size(), &size),
        "write an ephemeral key");
  }
  result.point = mpi(std::string_view(point).substr(0, size));
  return result;
}

Secret sessionKeyField(std::uint8_t cipher, std::string_view key) {
  auto field = Secret::ofSize(key.size() + 3);
  field.data()[0] = cipher;
  std::copy_n(bytesOf(key), key.size(), field.data() + 1);
  unsigned sum = 0;
  for (const char c : key) sum += static_cast<unsigned char>(c);
  field.data()[key.size() + 1] = static_cast<unsigned char>(sum >> 8);
  field.data()[key.size() + 2] = static_cast<unsigned char>(sum);
  return field;
}

std::string rsaPacket(const Secret& field, const RecipientKey& recipient, WrappingKey& key) {
  return packet(PacketTag::Pkesk, packetStart(recipient).append(mpi(key.encrypt(field))));
}

std::string ecdhPacket(const Secret& field, const RecipientKey& recipient, const WrappingKey& key,
                       const EphemeralKey& ephemeral) {
  const auto wrapped = wrap(keyWrappingKey(recipient, agree(ephemeral.key.get(), key.key())), padded(field));
  auto body = packetStart(recipient).append(ephemeral.point);
  body.append(1, static_cast<char>(wrapped.size())).append(wrapped);
  return packet(PacketTag::Pkesk, body);
}

Secret keyWrappingKey(const RecipientKey& recipient, const Secret& agreed) {
  constexpr auto FirstCounter = "\x00\x00\x00\x01"sv;
  std::string parameters(curveOid(recipient.kind));
  parameters.append(1, static_cast<char>(AlgorithmEcdh)).append("\x03\x01"sv);
  parameters.append(1, static_cast<char>(recipient.kdfHash)).append(1, static_cast<char>(recipient.kdfCipher));
  parameters.append("Anonymous Sender    "sv).append(recipient.fingerprint);
  auto input = Secret::ofSize(FirstCounter.size() + agreed.size() + parameters.size());
  unsigned char* at = input.data();
  for (const auto part : {FirstCounter, agreed.view(), std::string_view(parameters)})
    at = std::copy_n(bytesOf(part), part.size(), at);
  auto hashed = Secret::ofSize(EVP_MAX_MD_SIZE);
  check(EVP_Digest(input.data(), input.size(), hashed.data(), nullptr, digest(recipient.kdfHash), nullptr),
        "derive a wrapping key");
  return Secret(hashed.view().substr(0, keySize(recipient.kdfCipher)));
}

}  // namespace postern::pgp
