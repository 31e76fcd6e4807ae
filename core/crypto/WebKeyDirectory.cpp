#include "core/crypto/WebKeyDirectory.h"

#include "core/crypto/OpenSsl.h"

#include <array>

namespace postern::crypto {

std::string wkdName(std::string_view localPart) {
  constexpr std::string_view Letters = "ybndrfg8ejkmcpqxot1uwisza345h769";
  std::string local(localPart);
  for (auto& c : local)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  std::array<unsigned char, 20> digest{};
  check(EVP_Digest(local.data(), local.size(), digest.data(), nullptr, EVP_sha1(), nullptr), "name a key");
  std::string name;
  unsigned bits = 0, held = 0;
  for (const auto byte : digest) {
    held = (held << 8U | byte) & 0xFFFFU;
    for (bits += 8; bits >= 5; bits -= 5) name += Letters[(held >> (bits - 5)) & 31U];
  }
  return name;  // 160 bits are 32 letters: nothing is left over
}

}  // namespace postern::crypto
