#include "core/crypto/KeyWrap.h"

#include "core/base/Error.h"
#include "core/crypto/OpenSsl.h"

namespace postern::crypto {

namespace {

constexpr std::size_t WrappingKeySize = 32;
constexpr std::size_t CheckSize = 8;

CipherContextPtr wrapContext(const Secret& wrappingKey, int wrapping) {
  if (wrappingKey.size() != WrappingKeySize) throw Error(ErrorKind::Crypto, "a wrapping key must have 32 bytes");
  CipherContextPtr context(check(EVP_CIPHER_CTX_new(), "start AES key wrap"));
  EVP_CIPHER_CTX_set_flags(context.get(), EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
  check(EVP_CipherInit_ex2(context.get(), aes256Wrap(), wrappingKey.data(), nullptr, wrapping, nullptr),
        "start AES key wrap");
  return context;
}

}  // namespace

std::string wrapKey(const Secret& wrappingKey, const Secret& key) {
  if (key.size() < 16 || key.size() % 8 != 0)
    throw Error(ErrorKind::Crypto, "a key to be wrapped must have 16, 24 or 32 bytes");
  std::string wrapped(key.size() + 2 * CheckSize, '\0');
  int length = 0;
  check(EVP_CipherUpdate(wrapContext(wrappingKey, 1).get(), bytesOf(wrapped), &length, key.data(),
                         static_cast<int>(key.size())),
        "wrap a key");
  wrapped.resize(static_cast<std::size_t>(length));
  return wrapped;
}

Secret unwrapKey(const Secret& wrappingKey, std::string_view wrapped) {
  if (wrapped.size() < 16 + CheckSize || wrapped.size() > 4096 || wrapped.size() % 8 != 0)
    throw Error(ErrorKind::Crypto, "a wrapped key has the wrong size");
  auto buffer = Secret::ofSize(wrapped.size() + CheckSize);
  int length = 0;
  check(EVP_CipherUpdate(wrapContext(wrappingKey, 0).get(), buffer.data(), &length, bytesOf(wrapped),
                         static_cast<int>(wrapped.size())),
        "unwrap a key: it was changed or needs another key");
  return Secret(buffer.view().substr(0, static_cast<std::size_t>(length)));
}

}  // namespace postern::crypto
