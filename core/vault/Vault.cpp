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
  if (impl_->keys.objectKey(objectId)) return false;
  const auto secret = crypto::AeadKey::generate();
  const auto sealed = crypto::AeadKey(secret).seal(content, context(objectId, listId));
  Writer meta;
  meta.u8(ContentVersion).u64(objectId).u64(listId);
  const store::SegmentLog::NewRecord record{ObjectRecord, meta.bytes(), sealed};
  MutexLock lock(impl_->appending);
  const auto place = impl_->log.append({&record, 1}).front();
  impl_->log.allowReclaim(impl_->log.end());
  // Content first, key after: without its key what was written is noise, and its space comes back at the next start.
  if (impl_->keys.storeObjectKey(objectId, {secret, listId, place}, impl_->clock.now())) return true;
  impl_->log.release(place);
  return false;
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
