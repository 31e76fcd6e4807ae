#include "listd/mailout/MailToken.h"

#include "core/base/Codec.h"
#include "core/crypto/Digest.h"
#include "core/crypto/Encoding.h"

namespace postern::listd {
namespace {

constexpr std::size_t NumberSize = 8;
constexpr std::size_t MacSize = 32;

}  // namespace

std::string makeMailToken(const vault::RootKey& root, std::string_view purpose, std::uint64_t id,
                          std::string_view person) {
  const auto bound = Writer().string("mail token").string(purpose).u64(id).string(person).bytes();
  return crypto::base64Url(Writer().u64(id).bytes() + crypto::hmacSha256(root.derive(vault::RootKey::TokenKey), bound));
}

std::optional<std::uint64_t> numberOfMailToken(std::string_view token) {
  const auto bytes = crypto::fromBase64Url(token);
  if (!bytes || bytes->size() != NumberSize + MacSize) return std::nullopt;
  return Reader(*bytes).u64();
}

bool isMailToken(const vault::RootKey& root, std::string_view purpose, std::string_view person,
                 std::string_view token) {
  const auto id = numberOfMailToken(token);
  return id && crypto::equalConstantTime(token, makeMailToken(root, purpose, *id, person));
}

}  // namespace postern::listd
