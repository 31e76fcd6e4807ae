#include "listd/mailout/SealedLink.h"

#include "core/base/Error.h"
#include "core/crypto/Aead.h"
#include "core/crypto/Encoding.h"

namespace postern::listd {
namespace {

constexpr std::string_view Label = "postern mailed link v1";
constexpr std::string_view Query = "?token=";

}  // namespace

std::string sealLink(const vault::RootKey& root, std::string_view page, std::string_view token) {
  const auto sealed = crypto::AeadKey(root.derive(Label)).seal(token, page);
  return std::string(page).append(Query) + crypto::base64Url(sealed);
}

std::string openLink(const vault::RootKey& root, std::string_view link) {
  const auto at = link.find(Query);
  const auto page = link.substr(0, at);
  const auto sealed =
      at == link.npos ? std::nullopt : crypto::fromBase64Url(std::string(link.substr(at + Query.size())));
  if (!sealed) throw Error(ErrorKind::Store, "a link in the outbox is not sealed");
  return std::string(page).append(Query) + crypto::AeadKey(root.derive(Label)).open(*sealed, page);
}

}  // namespace postern::listd
