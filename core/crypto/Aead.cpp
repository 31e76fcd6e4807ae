#include "core/crypto/Aead.h"

#include "core/base/Error.h"
#include "core/crypto/Gcm.h"
#include "core/crypto/Random.h"

namespace postern::crypto {

static_assert(AeadKey::KeySize == gcm::KeySize && AeadKey::Overhead == gcm::NonceSize + gcm::TagSize);

namespace {

const Secret& checked(const Secret& key) {
  if (key.size() != AeadKey::KeySize) throw Error(ErrorKind::Crypto, "a sealing key must have 32 bytes");
  return key;
}

void sealWith(EVP_CIPHER_CTX* context, std::string_view plain, std::string_view aad, std::string& out) {
  const auto nonce = randomBytes(gcm::NonceSize);
  out.reserve(out.size() + plain.size() + AeadKey::Overhead);
  out.append(nonce);
  gcm::seal(context, bytesOf(nonce), plain, aad, out);
}

std::size_t plainSize(std::string_view sealed) {
  if (sealed.size() < AeadKey::Overhead) throw Error(ErrorKind::Crypto, "cannot open sealed bytes: they are cut short");
  return sealed.size() - AeadKey::Overhead;
}

void openWith(EVP_CIPHER_CTX* context, std::string_view sealed, std::string_view aad, unsigned char* out) {
  gcm::open(context, bytesOf(sealed), sealed.substr(gcm::NonceSize), aad, out);
}

}  // namespace

AeadKey::AeadKey(Secret key) : key_(std::move(key)) {
  checked(key_);
}

Secret AeadKey::generate() {
  return randomSecret(KeySize);
}

std::string AeadKey::seal(std::string_view plain, std::string_view context) const {
  std::string out;
  sealWith(gcm::sealingContext(key_.data()).get(), plain, context, out);
  return out;
}

std::string AeadKey::open(std::string_view sealed, std::string_view context) const {
  std::string plain(plainSize(sealed), '\0');
  openWith(gcm::openingContext(key_.data()).get(), sealed, context, bytesOf(plain));
  return plain;
}

Secret AeadKey::openSecret(std::string_view sealed, std::string_view context) const {
  auto plain = Secret::ofSize(plainSize(sealed));
  openWith(gcm::openingContext(key_.data()).get(), sealed, context, plain.data());
  return plain;
}

AeadRecords::AeadRecords(const Secret& key)
    : sealing_(gcm::sealingContext(checked(key).data())), opening_(gcm::openingContext(key.data())) {}

void AeadRecords::sealTo(std::string& out, std::string_view plain, std::string_view context) {
  sealWith(sealing_.get(), plain, context, out);
}

std::string AeadRecords::seal(std::string_view plain, std::string_view context) {
  std::string out;
  sealTo(out, plain, context);
  return out;
}

std::string AeadRecords::open(std::string_view sealed, std::string_view context) {
  std::string plain(plainSize(sealed), '\0');
  openWith(opening_.get(), sealed, context, bytesOf(plain));
  return plain;
}

}  // namespace postern::crypto
