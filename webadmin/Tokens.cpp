#include "webadmin/Tokens.h"

#include "core/crypto/Digest.h"
#include "core/crypto/Encoding.h"
#include "core/crypto/Random.h"

namespace postern::webadmin::tokens {

std::string random() {
  return crypto::randomToken(32);
}

std::string hash(std::string_view token) {
  return crypto::base64Url(crypto::sha256(token));
}

std::string derive(std::string_view secret, std::string_view purpose) {
  return crypto::base64Url(crypto::hmacSha256(secret, purpose));
}

bool equal(std::string_view a, std::string_view b) {
  return crypto::equalConstantTime(a, b);
}

}  // namespace postern::webadmin::tokens
