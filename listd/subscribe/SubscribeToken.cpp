#include "listd/subscribe/SubscribeToken.h"

#include "core/base/Codec.h"
#include "core/base/Error.h"
#include "core/crypto/Digest.h"
#include "core/crypto/Encoding.h"
#include "core/mail/Text.h"

namespace postern::listd {
namespace {

constexpr std::size_t MacSize = 10;
constexpr std::size_t NumberSize = 5;
constexpr std::uint64_t NumberMask = (std::uint64_t{1} << (8 * NumberSize)) - 1;

std::uint64_t maskOf(const vault::RootKey& root, std::string_view mac) {
  const auto bound = Writer().string("subscribe mask").string(mac).bytes();
  const auto bytes = crypto::hmacSha256(root.derive(vault::RootKey::TokenKey), bound);
  return Reader(bytes).u64() & NumberMask;
}

}  // namespace

std::string makeSubscribeToken(const vault::RootKey& root, std::string_view purpose, std::uint64_t number,
                               std::string_view bound) {
  if (number > NumberMask) throw Error(ErrorKind::Invariant, "the number of a subscription token is too large");
  const auto data = Writer().string("subscribe mac").string(purpose).u64(number).string(bound).bytes();
  auto bytes = crypto::hmacSha256(root.derive(vault::RootKey::TokenKey), data).substr(0, MacSize);
  const auto hidden = number ^ maskOf(root, bytes);
  for (std::size_t i = NumberSize; i-- > 0;) bytes += static_cast<char>(hidden >> (8 * i) & 255);
  return mail::lowerAscii(crypto::base32(bytes));
}

std::optional<std::uint64_t> numberOfSubscribeToken(const vault::RootKey& root, std::string_view token) {
  if (token.size() != SubscribeTokenLength) return std::nullopt;
  const auto bytes = crypto::fromBase32(token);
  if (!bytes || bytes->size() != MacSize + NumberSize) return std::nullopt;
  std::uint64_t hidden = 0;
  for (std::size_t i = MacSize; i < bytes->size(); ++i) hidden = hidden << 8 | static_cast<unsigned char>((*bytes)[i]);
  return hidden ^ maskOf(root, std::string_view(*bytes).substr(0, MacSize));
}

bool isSubscribeToken(const vault::RootKey& root, std::string_view purpose, std::string_view bound,
                      std::string_view token) {
  const auto number = numberOfSubscribeToken(root, token);
  return number &&
         crypto::equalConstantTime(mail::lowerAscii(token), makeSubscribeToken(root, purpose, *number, bound));
}

}  // namespace postern::listd
