#include "core/crypto/Gcm.h"

#include "core/base/Error.h"

#include <openssl/crypto.h>

#include <limits>

namespace postern::crypto::gcm {

namespace {

CipherContextPtr keyedContext(const unsigned char* key, int sealing) {
  CipherContextPtr context(check(EVP_CIPHER_CTX_new(), "start AES-256-GCM"));
  check(EVP_CipherInit_ex2(context.get(), aes256Gcm(), key, nullptr, sealing, nullptr), "start AES-256-GCM");
  return context;
}

int sizeOf(std::string_view bytes) {
  if (bytes.size() > static_cast<std::size_t>(std::numeric_limits<int>::max() - 64))
    throw Error(ErrorKind::Crypto, "cannot seal more than 2 GiB at once");
  return static_cast<int>(bytes.size());
}

void authenticate(EVP_CIPHER_CTX* context, const unsigned char* nonce, std::string_view aad) {
  int length = 0;
  check(EVP_CipherInit_ex2(context, nullptr, nullptr, nonce, -1, nullptr), "set a nonce");
  if (!aad.empty())
    check(EVP_CipherUpdate(context, nullptr, &length, bytesOf(aad), sizeOf(aad)), "authenticate the context of bytes");
}

}  // namespace

CipherContextPtr sealingContext(const unsigned char* key) {
  return keyedContext(key, 1);
}
CipherContextPtr openingContext(const unsigned char* key) {
  return keyedContext(key, 0);
}

void seal(EVP_CIPHER_CTX* context, const unsigned char* nonce, std::string_view plain, std::string_view aad,
          std::string& out) {
  const auto start = out.size();
  const int size = sizeOf(plain);
  out.resize(start + plain.size() + TagSize);
  unsigned char* at = bytesOf(out) + start;
  int length = 0;
  authenticate(context, nonce, aad);
  if (size > 0) check(EVP_CipherUpdate(context, at, &length, bytesOf(plain), size), "seal bytes");
  int rest = 0;
  check(EVP_CipherFinal_ex(context, at + length, &rest), "seal bytes");
  check(EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, TagSize, at + plain.size()), "seal bytes");
}

void open(EVP_CIPHER_CTX* context, const unsigned char* nonce, std::string_view sealed, std::string_view aad,
          unsigned char* out) {
  if (sealed.size() < TagSize) throw Error(ErrorKind::Crypto, "cannot open sealed bytes: they are cut short");
  const auto cipher = sealed.substr(0, sealed.size() - TagSize);
  std::string tag(sealed.substr(cipher.size()));
  const int size = sizeOf(cipher);
  int length = 0;
  authenticate(context, nonce, aad);
  if (size > 0) check(EVP_CipherUpdate(context, out, &length, bytesOf(cipher), size), "open sealed bytes");
  check(EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, TagSize, tag.data()), "open sealed bytes");
  int rest = 0;
  if (EVP_CipherFinal_ex(context, out + length, &rest) <= 0) {
    OPENSSL_cleanse(out, cipher.size());
    clearOpenSslErrors();
    throw Error(ErrorKind::Crypto,
                "cannot open sealed bytes: they were changed, belong to another place or need another key");
  }
}

}  // namespace postern::crypto::gcm
