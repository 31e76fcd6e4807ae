#include "core/crypto/OpenSsl.h"

#include "core/base/Error.h"

#include <openssl/err.h>

#include <array>
#include <string>

namespace postern::crypto {

namespace {

CipherPtr fetchCipher(const char* name) {
  return CipherPtr(check(EVP_CIPHER_fetch(nullptr, name, nullptr), std::string("find the cipher ") + name));
}

}  // namespace

void throwOpenSsl(std::string_view doing) {
  std::string text = "cannot " + std::string(doing);
  std::string_view separator = ": ";
  while (const auto code = ERR_get_error()) {
    const char* reason = ERR_reason_error_string(code);
    text.append(separator).append(reason ? reason : "error " + std::to_string(code));
    separator = "; ";
  }
  throw Error(ErrorKind::Crypto, text);
}

void clearOpenSslErrors() {
  ERR_clear_error();
}

const EVP_CIPHER* aes256Gcm() {
  static const CipherPtr cipher = fetchCipher("AES-256-GCM");
  return cipher.get();
}

const EVP_CIPHER* aes256Cbc() {
  static const CipherPtr cipher = fetchCipher("AES-256-CBC");
  return cipher.get();
}

const EVP_CIPHER* aes256Wrap() {
  static const CipherPtr cipher = fetchCipher("AES-256-WRAP");
  return cipher.get();
}

const EVP_MD* sha256Algorithm() {
  static const DigestPtr digest(check(EVP_MD_fetch(nullptr, "SHA256", nullptr), "find the digest SHA256"));
  return digest.get();
}

std::string_view contentOf(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return size > 0 ? std::string_view(data, static_cast<std::size_t>(size)) : std::string_view();
}

BioPtr readOnlyBio(std::string_view bytes) {
  // A null pointer would be an error to OpenSSL, an empty text is not.
  const char* data = bytes.empty() ? "" : bytes.data();
  return BioPtr(check(BIO_new_mem_buf(data, static_cast<int>(bytes.size())), "read bytes from memory"));
}

}  // namespace postern::crypto
