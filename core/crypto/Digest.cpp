#include "core/crypto/Digest.h"

#include <openssl/crypto.h>
#include <openssl/hmac.h>

namespace postern::crypto {

namespace {

constexpr std::size_t DigestSize = 32;

}  // namespace

std::string sha256(std::string_view bytes) {
  std::string digest(DigestSize, '\0');
  check(EVP_Digest(bytes.data(), bytes.size(), bytesOf(digest), nullptr, sha256Algorithm(), nullptr), "hash bytes");
  return digest;
}

std::string hmacSha256(std::string_view key, std::string_view bytes) {
  std::string mac(DigestSize, '\0');
  check(HMAC(sha256Algorithm(), key.data(), static_cast<int>(key.size()), bytesOf(bytes), bytes.size(), bytesOf(mac),
             nullptr),
        "compute a MAC");
  return mac;
}

bool equalConstantTime(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

Sha256::Sha256() : context_(check(EVP_MD_CTX_new(), "start a hash")) {
  check(EVP_DigestInit_ex2(context_.get(), sha256Algorithm(), nullptr), "start a hash");
}

Sha256& Sha256::update(std::string_view bytes) {
  check(EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()), "hash bytes");
  return *this;
}

std::string Sha256::finish() {
  std::string digest(DigestSize, '\0');
  check(EVP_DigestFinal_ex(context_.get(), bytesOf(digest), nullptr), "finish a hash");
  return digest;
}

}  // namespace postern::crypto
