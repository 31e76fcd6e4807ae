#pragma once
#include "core/base/Clock.h"
#include "core/store/SegmentLog.h"
#include "core/vault/KeyStore.h"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace postern::vault {

// Message content at rest: DATA/vault/segments. Each object is sealed with AES-256-GCM under a key of its own, bound to
// its id, its list and a version; the key lies wrapped in the KeyStore, which must outlive the vault. Nothing is in
// clear. Threads: safe for all. Errors: Error(DiskFull), Error(Io), Error(Store); Error(Crypto) when an object does not
// verify.
class Vault {
public:
  Vault(const std::filesystem::path& folder, KeyStore& keys, const Clock& clock, std::uint64_t minFreeSpace = 0,
        store::DiskAccess* disk = nullptr);
  ~Vault();

  struct NewObject {
    std::uint64_t id = 0;
    std::uint64_t listId = 0;
    std::string_view content;
  };
  // Durable on return. The first content of an object stands: a repeat changes nothing and returns false.
  bool put(std::uint64_t objectId, std::uint64_t listId, std::string_view content);
  // Many at the price of one: one sync for all contents, one commit for all keys. How many were new.
  std::size_t putAll(std::span<const NewObject> objects);
  std::optional<std::string> get(std::uint64_t objectId) const;
  // Destroys the keys of the objects for good, and wipes what they sealed off the disk: tombstones in the journal,
  // keys, then the content (holes are punched, so that the space is free at once). Durable on return; may be repeated
  // after a crash. Only the destruction gate calls this. Returns the objects that were there.
  std::vector<std::uint64_t> destroyAll(std::span<const std::uint64_t> objectIds);
  bool destroy(std::uint64_t objectId);
  // Only the first half, durable on return: tombstones and keys. The contents are noise from then on. For many calls in
  // a row, after which destroyAll({}) wipes the contents and the old pages of keys.db; so does the next start.
  void destroyKeys(std::span<const std::uint64_t> objectIds);
  // Wipes content whose key is gone already and that a crash left; up to `most` places. How many; 0: none is left.
  std::size_t wipeFreed(std::size_t most);
  std::uint64_t bytes() const;  // that the contents take on disk

private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace postern::vault
