#pragma once
#include "core/base/Secret.h"
#include "core/crypto/OpenSsl.h"

#include <string>
#include <string_view>

namespace postern::crypto {

std::string sha256(std::string_view bytes);  // 32 bytes
std::string hmacSha256(std::string_view key, std::string_view bytes);
inline std::string hmacSha256(const Secret& key, std::string_view bytes) {
  return hmacSha256(key.view(), bytes);
}

// Compares MACs, tokens and digests in a time that does not tell where they differ.
bool equalConstantTime(std::string_view a, std::string_view b);

// SHA-256 of bytes that come in pieces. Use once. Threads: one at a time.
class Sha256 {
public:
  Sha256();
  Sha256& update(std::string_view bytes);
  std::string finish();

private:
  DigestContextPtr context_;
};

}  // namespace postern::crypto
