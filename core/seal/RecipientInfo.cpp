#include "core/seal/RecipientInfo.h"

#include "core/base/Error.h"
#include "core/crypto/Der.h"
#include "core/crypto/Digest.h"
#include "core/crypto/KeyWrap.h"

#include <openssl/rsa.h>

#include <algorithm>

namespace postern::seal {

namespace {

using namespace std::string_view_literals;
namespace der = crypto::der;
using crypto::bytesOf;
using crypto::check;

constexpr auto Version0 = "\x02\x01\x00"sv;
constexpr auto Version3 = "\x02\x01\x03"sv;

// rsaEncryption, NULL
constexpr auto RsaPkcs1 = "\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00"sv;
// id-RSAES-OAEP with SHA-256 as hash and in MGF1 (RFC 4055 §4.1)
constexpr auto RsaOaepSha256 =
    "\x30\x3c\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x07\x30\x2f"
    "\xa0\x0f\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00"
    "\xa1\x1c\x30\x1a\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x08"
    "\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00"sv;
// dhSinglePass-stdDH-sha256kdf-scheme with id-aes256-wrap (RFC 5753 §7.1.4, §7.1.5)
constexpr auto EcdhSha256Aes256Wrap =
    "\x30\x15\x06\x06\x2b\x81\x04\x01\x0b\x01\x30\x0b\x06\x09\x60\x86\x48\x01\x65\x03\x04\x01\x2d"sv;
// ECC-CMS-SharedInfo (RFC 5753 §7.2): id-aes256-wrap, no entityUInfo, a key of 256 bits
constexpr auto SharedInfo =
    "\x30\x15\x30\x0b\x06\x09\x60\x86\x48\x01\x65\x03\x04\x01\x2d\xa2\x06\x04\x04\x00\x00\x01\x00"sv;
constexpr auto FirstCounter = "\x00\x00\x00\x01"sv;
constexpr std::size_t MaxFieldSize = 66;

// The recipient's point was validated when the certificate was imported and again when the key was loaded.
Secret agreedSecret(EVP_PKEY* ephemeral, EVP_PKEY* recipient) {
  crypto::PkeyContextPtr context(check(EVP_PKEY_CTX_new(ephemeral, nullptr), "agree on a wrapping key"));
  check(EVP_PKEY_derive_init(context.get()), "agree on a wrapping key");
  check(EVP_PKEY_derive_set_peer_ex(context.get(), recipient, 0), "agree on a wrapping key");
  auto secret = Secret::ofSize(MaxFieldSize);
  std::size_t size = secret.size();
  check(EVP_PKEY_derive(context.get(), secret.data(), &size), "agree on a wrapping key");
  return Secret(secret.view().substr(0, size));
}

// ANSI X9.63 with SHA-256: one block is all that a 256-bit key needs.
Secret wrappingKey(const Secret& agreed) {
  auto input = Secret::ofSize(agreed.size() + FirstCounter.size() + SharedInfo.size());
  unsigned char* at = input.data();
  for (const auto part : {agreed.view(), FirstCounter, SharedInfo}) at = std::copy_n(bytesOf(part), part.size(), at);
  auto key = Secret::ofSize(32);
  check(EVP_Digest(input.data(), input.size(), key.data(), nullptr, crypto::sha256Algorithm(), nullptr),
        "derive a wrapping key");
  return key;
}

}  // namespace

WrappingKey::WrappingKey(const crypto::RecipientKey& recipient) : key_(recipient.openSslKey()) {
  if (recipient.kind != crypto::KeyKind::Rsa) return;
  const bool oaep = recipient.readsOaep;
  crypto::PkeyContextPtr context(check(EVP_PKEY_CTX_new(key_.get(), nullptr), "wrap a content key"));
  check(EVP_PKEY_encrypt_init(context.get()), "wrap a content key");
  check(EVP_PKEY_CTX_set_rsa_padding(context.get(), oaep ? RSA_PKCS1_OAEP_PADDING : RSA_PKCS1_PADDING),
        "wrap a content key");
  if (oaep) {
    check(EVP_PKEY_CTX_set_rsa_oaep_md(context.get(), crypto::sha256Algorithm()), "wrap a content key");
    check(EVP_PKEY_CTX_set_rsa_mgf1_md(context.get(), crypto::sha256Algorithm()), "wrap a content key");
  }
  encrypting_ = std::move(context);
}

std::string WrappingKey::encrypt(const Secret& contentKey) {
  std::string wrapped(static_cast<std::size_t>(EVP_PKEY_get_size(key_.get())), '\0');
  std::size_t size = wrapped.size();
  MutexLock lock(mutex_);
  if (!encrypting_) throw Error(ErrorKind::Invariant, "a content key was to be encrypted to a key that is not RSA");
  check(EVP_PKEY_encrypt(encrypting_.get(), bytesOf(wrapped), &size, contentKey.data(), contentKey.size()),
        "wrap a content key");
  wrapped.resize(size);
  return wrapped;
}

// KeyTransRecipientInfo ::= { version 0, rid issuerAndSerialNumber, keyEncryptionAlgorithm, encryptedKey }
std::string keyTransport(const Secret& contentKey, const crypto::RecipientKey& recipient, WrappingKey& key) {
  std::string body(Version0);
  body.append(recipient.issuerAndSerial).append(recipient.readsOaep ? RsaOaepSha256 : RsaPkcs1);
  body.append(der::item(der::OctetString, key.encrypt(contentKey)));
  return der::item(der::Sequence, body);
}

// KeyAgreeRecipientInfo ::= [1] { version 3, originator [0], keyEncryptionAlgorithm, recipientEncryptedKeys }
std::string keyAgreement(const Secret& contentKey, const crypto::RecipientKey& recipient, const WrappingKey& key,
                         const EphemeralKey& ephemeral) {
  const auto wrapped = crypto::wrapKey(wrappingKey(agreedSecret(ephemeral.key.get(), key.key())), contentKey);
  const auto encryptedKey = recipient.issuerAndSerial + der::item(der::OctetString, wrapped);
  std::string body(Version3);
  body.append(ephemeral.originator).append(EcdhSha256Aes256Wrap);
  body.append(der::item(der::Sequence, der::item(der::Sequence, encryptedKey)));
  return der::item(0xa1, body);
}

}  // namespace postern::seal
