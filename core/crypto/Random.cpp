#include "core/crypto/Random.h"

#include "core/crypto/Encoding.h"
#include "core/crypto/OpenSsl.h"

#include <openssl/rand.h>

namespace postern::crypto {

std::string randomBytes(std::size_t count) {
  std::string bytes(count, '\0');
  check(RAND_bytes(bytesOf(bytes), static_cast<int>(count)), "get random bytes");
  return bytes;
}

Secret randomSecret(std::size_t count) {
  auto secret = Secret::ofSize(count);
  check(RAND_priv_bytes(secret.data(), static_cast<int>(count)), "get random bytes for a key");
  return secret;
}

std::string randomToken(std::size_t byteCount) {
  return base64Url(randomBytes(byteCount));
}

}  // namespace postern::crypto
