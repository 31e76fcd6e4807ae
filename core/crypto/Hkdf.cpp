#include "core/crypto/Hkdf.h"

#include "core/base/Error.h"
#include "core/crypto/Digest.h"

#include <openssl/crypto.h>

#include <algorithm>
#include <string>

namespace postern::crypto {

Secret hkdfSha256(std::string_view key, std::string_view salt, std::string_view info, std::size_t length) {
  constexpr std::size_t BlockSize = 32;
  if (length > 255 * BlockSize) throw Error(ErrorKind::Invariant, "HKDF gives at most 8160 bytes");
  // RFC 5869 §2.2: no salt means a block of zeros.
  const std::string zeros(BlockSize, '\0');
  std::string extracted = hmacSha256(salt.empty() ? std::string_view(zeros) : salt, key);

  auto result = Secret::ofSize(length);
  std::string block;
  for (std::size_t done = 0, number = 1; done < length; ++number) {
    std::string input = block;
    input.append(info).push_back(static_cast<char>(number));
    OPENSSL_cleanse(block.data(), block.size());
    block = hmacSha256(extracted, input);
    OPENSSL_cleanse(input.data(), input.size());
    const auto count = std::min(BlockSize, length - done);
    std::copy_n(bytesOf(block), count, result.data() + done);
    done += count;
  }
  OPENSSL_cleanse(block.data(), block.size());
  OPENSSL_cleanse(extracted.data(), extracted.size());
  return result;
}

}  // namespace postern::crypto
