#include "core/vault/Vault.h"

#include "core/base/Codec.h"
#include "core/base/Error.h"
#include "core/base/Mutex.h"
#include "core/crypto/Aead.h"

#include <algorithm>
#include <set>

namespace postern::vault {

namespace {

constexpr std::uint8_t ObjectRecord = 1;
constexpr std::uint8_t ContentVersion = 1;
constexpr std::uint32_t SeparateBodySize = 4u << 20;
constexpr std::size_t WipedAtStart = 10'000;
constexpr std::size_t WipedAtOnce = 10'000;

std::string context(std::uint64_t objectId, std::uint64_t listId) {
  Writer writer;
  writer.string("postern vault object").u8(ContentVersion).u64(objectId).u64(listId);
  return std::move(writer).bytes();
}

}  // namespace

struct Vault::Impl {
  Impl(const std::filesystem::path& folder, KeyStore& keyStore, const Clock& time, std::uint64_t minFreeSpace,
       store::DiskAccess* disk)
      : keys(keyStore),
        clock(time),
        log(folder / "segments", {.minFreeSpace = minFreeSpace, .separateBodySize = SeparateBodySize}, disk) {
    for (const auto& count : keys.segmentCounts()) log.retainCount(count.segment, count.objects);
    for (const auto& place : keys.placesOver(SeparateBodySize)) log.retainSeparate(place);
    log.allowReclaim(log.end());
    wipeFreed(WipedAtStart);
  }

  // Only the retentions that this process still has are released, and each once, whatever failed on the way.
  std::size_t wipeFreed(std::size_t most) EXCLUDES_LOCK(appending) {
    const MutexLock lock(appending);
    const auto freed = keys.freedPlaces(most);
    if (freed.empty()) return 0;
    std::vector<store::RecordRef> places;
    for (const auto& place : freed) places.push_back(place.place);
    log.wipe(places);
    for (const auto& place : freed)
      if (retained.erase(place.id) > 0) log.release(place.place);
    log.allowReclaim(log.end());
    keys.forgetFreed(freed);
    return freed.size();
  }

  std::vector<std::uint64_t> destroyKeys(std::span<const std::uint64_t> objectIds, KeyStore::AfterDestroying after)
      EXCLUDES_LOCK(appending) {
    const MutexLock lock(appending);
    std::vector<std::uint64_t> destroyed;
    for (const auto& object : keys.destroyObjectKeys(objectIds, after)) {
      destroyed.push_back(object.objectId);
      retained.insert(object.freed.id);
    }
    return destroyed;
  }

  KeyStore& keys;
  const Clock& clock;
  Mutex appending;                                        // the log takes records from one thread at a time
  std::set<std::int64_t> retained GUARDED_BY(appending);  // freed places that the log still holds a retention of
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
  // Content first, keys after: without its key what was written is noise.
  std::vector<bool> stored(keys.size(), false);
  const auto giveBack = [&] {
    std::vector<store::RecordRef> orphans;
    for (std::size_t i = 0; i < places.size(); ++i)
      if (!stored[i]) orphans.push_back(places[i]);
    if (orphans.empty()) return;
    impl_->log.wipe(orphans);
    for (const auto& place : orphans) impl_->log.release(place);
  };
  try {
    stored = impl_->keys.storeObjectKeys(keys, impl_->clock.now());
  } catch (const std::exception&) {
    giveBack();
    throw;
  }
  giveBack();
  return static_cast<std::size_t>(std::count(stored.begin(), stored.end(), true));
}

std::optional<std::string> Vault::get(std::uint64_t objectId) const {
  const auto key = impl_->keys.objectKey(objectId);
  if (!key) return std::nullopt;
  try {
    return crypto::AeadKey(key->key).open(impl_->log.read(key->place), context(objectId, key->listId));
  } catch (const Error&) {
    // Destroyed between the two: then it is gone, not damaged.
    if (!impl_->keys.hasObjectKey(objectId)) return std::nullopt;
    throw;
  }
}

std::vector<std::uint64_t> Vault::destroyAll(std::span<const std::uint64_t> objectIds) {
  auto destroyed = impl_->destroyKeys(objectIds, KeyStore::AfterDestroying::EmptyLog);
  while (impl_->wipeFreed(WipedAtOnce) > 0) {
  }
  return destroyed;
}

void Vault::destroyKeys(std::span<const std::uint64_t> objectIds) {
  impl_->destroyKeys(objectIds, KeyStore::AfterDestroying::LogLater);
}

bool Vault::destroy(std::uint64_t objectId) {
  return !destroyAll({&objectId, 1}).empty();
}

std::size_t Vault::wipeFreed(std::size_t most) {
  return impl_->wipeFreed(most);
}

std::uint64_t Vault::bytes() const {
  return impl_->log.bytes();
}

}  // namespace postern::vault
