#include "listd/pickup/PickupLink.h"

#include "core/base/Codec.h"
#include "core/crypto/Digest.h"
#include "core/crypto/Encoding.h"

namespace postern::listd {
namespace {

constexpr std::string_view Label = "postern pickup link v1";
constexpr std::size_t MacSize = 24;  // 192 bits, so that a sealed link stays short
constexpr std::size_t TokenSize = 1 + 8 + 8 + MacSize;

}  // namespace

std::string makePickupToken(const vault::RootKey& root, const PickupToken& token, std::string_view address) {
  const auto facts =
      Writer().u8(static_cast<std::uint8_t>(token.kind)).u64(token.id).i64(toMicros(token.issuedAt)).bytes();
  const auto bound = Writer().string("prove mailbox").raw(facts).string(address).bytes();
  return crypto::base64Url(facts + crypto::hmacSha256(root.derive(Label), bound).substr(0, MacSize));
}

std::optional<PickupToken> readPickupToken(std::string_view text) {
  const auto bytes = crypto::fromBase64Url(text);
  if (!bytes || bytes->size() != TokenSize) return std::nullopt;
  Reader reader(*bytes);
  const auto kind = reader.u8();
  if (kind != 1 && kind != 2) return std::nullopt;
  PickupToken token;
  token.kind = static_cast<PickupToken::Kind>(kind);
  token.id = reader.u64();
  token.issuedAt = fromMicros(reader.i64());
  return token;
}

bool isPickupToken(const vault::RootKey& root, const PickupToken& token, std::string_view address,
                   std::string_view text) {
  return crypto::equalConstantTime(text, makePickupToken(root, token, address));
}

}  // namespace postern::listd
