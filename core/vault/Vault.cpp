#include "core/vault/Vault.h"

#include "core/base/Codec.h"
#include "core/base/Error.h"
#include "core/base/Mutex.h"
#include "core/crypto/Aead.h"

namespace postern::vault {

namespace {

constexpr std::uint8_t ObjectRecord = 1;
constexpr std::uint8_t ContentVersion = 1;

std::string context(std::uint64_t objectId, std::uint64_t listId) {
  Writer writer;
  writer.string("postern vault object").u8(ContentVersion).u64(objectId).u64(listId);
  return std::move(writer).bytes();
}

}  // namespace

struct Vault::Impl {
  Impl(const std::filesystem::path& folder, KeyStore& keyStore, const Clock& time, std::uint64_t minFreeSpace,
       store::DiskAccess* disk)
      : keys(keyStore), clock(time), log(folder / "segments", {.minFreeSpace = minFreeSpace}, disk) {
    for (const auto& place : keys.places()) log.retain(place);
    log.allowReclaim(log.end());
  }

  KeyStore& keys;
  const Clock& clock;
  Mutex appending;  // the log takes records from one thread at a time
  store::SegmentLog log;
};

Vault::Vault(const std::filesystem::path& folder, KeyStore& keys, const Clock& clock, std::uint64_t minFreeSpace,
             store::DiskAccess* disk)
    : impl_(std::make_unique<Impl>(folder, keys, clock, minFreeSpace, disk)) {}

Vault::~Vault() = default;

bool Vault::put(std::uint64_t objectId, std::uint64_t listId, std::string_view content) {
  const NewObject object{objectId, listId, content};
  return putAll({&object, 1}) == 1;
}

std::size_t Vault::putAll(std::span<const NewObject> objects) {
  std::vector<KeyStore::NewObjectKey> keys;
  std::vector<std::string> metas, sealed;
  for (const auto& object : objects) {
    if (impl_->keys.objectKey(object.id)) continue;
    auto secret = crypto::AeadKey::generate();
    sealed.push_back(crypto::AeadKey(secret).seal(object.content, context(object.id, object.listId)));
    metas.push_back(std::move(Writer().u8(ContentVersion).u64(object.id).u64(object.listId)).bytes());
    keys.push_back({object.id, {std::move(secret), object.listId, {}}});
  }
  if (keys.empty()) return 0;
  std::vector<store::SegmentLog::NewRecord> records;
  for (std::size_t i = 0; i < keys.size(); ++i) records.push_back({ObjectRecord, metas[i], sealed[i]});

  MutexLock lock(impl_->appending);
  const auto places = impl_->log.append(records);
  for (std::size_t i = 0; i < keys.size(); ++i) keys[i].key.place = places[i];
  impl_->log.allowReclaim(impl_->log.end());
  // Content first, keys after: without its key what was written is noise, and its space comes back at the next start.
  const auto stored = impl_->keys.storeObjectKeys(keys, impl_->clock.now());
  std::size_t fresh = 0;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (stored[i])
      ++fresh;
    else
      impl_->log.release(places[i]);
  }
  return fresh;
}

std::optional<std::string> Vault::get(std::uint64_t objectId) const {
  const auto key = impl_->keys.objectKey(objectId);
  if (!key) return std::nullopt;
  return crypto::AeadKey(key->key).open(impl_->log.read(key->place), context(objectId, key->listId));
}

bool Vault::destroy(std::uint64_t objectId) {
  const auto place = impl_->keys.destroyObjectKey(objectId);
  if (place) impl_->log.release(*place);
  return place.has_value();
}

}  // namespace postern::vault
