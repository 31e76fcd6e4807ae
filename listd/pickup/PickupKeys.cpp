#include "listd/pickup/PickupKeys.h"

#include "core/base/Codec.h"
#include "core/base/Error.h"
#include "core/crypto/Aead.h"
#include "core/crypto/Digest.h"
#include "core/crypto/Hkdf.h"

namespace postern::listd {
namespace {

constexpr std::string_view Label = "postern pickup item v1";

std::string contextOf(std::uint64_t record, std::uint64_t itemId, std::uint64_t contentId) {
  return std::move(Writer().string("pickup item").u64(record).u64(itemId).u64(contentId)).bytes();
}

}  // namespace

std::uint64_t PickupKeys::objectOf(std::uint64_t itemId) {
  const auto digest = crypto::sha256(Writer().string("pickup item").u64(itemId).bytes());
  return Reader(digest).u64() >> 1;  // 63 bits: positive in SQL
}

std::optional<Secret> PickupKeys::recordKey(std::uint64_t record) const {
  const auto key = context_.keys.objectKey(record);
  if (!key) return std::nullopt;
  return crypto::hkdfSha256(key->key, {}, Label);
}

bool PickupKeys::store(std::uint64_t record, std::uint64_t listId, std::span<const Wanted> items, const Secret& key) {
  const auto outer = recordKey(record);
  if (!outer) throw Error(ErrorKind::Store, "its content is not in the vault any more");
  const crypto::AeadKey wrapping(*outer);
  std::vector<std::string> contents;
  std::vector<vault::Vault::NewObject> objects;
  contents.reserve(items.size());
  for (const auto& item : items) {
    contents.push_back(Writer()
                           .u64(item.contentId)
                           .string(wrapping.sealSecret(key, contextOf(record, item.itemId, item.contentId)))
                           .bytes());
    objects.push_back({objectOf(item.itemId), listId, contents.back()});
  }
  return context_.vault.putAll(objects) == objects.size();
}

std::optional<PickupKeys::Opened> PickupKeys::open(std::uint64_t record, std::uint64_t itemId) const {
  const auto outer = recordKey(record);
  const auto stored = outer ? context_.vault.get(objectOf(itemId)) : std::nullopt;
  if (!stored) return std::nullopt;
  Reader reader(*stored);
  Opened opened;
  opened.contentId = reader.u64();
  opened.key = crypto::AeadKey(*outer).openSecret(reader.view(), contextOf(record, itemId, opened.contentId));
  return opened;
}

}  // namespace postern::listd
