#pragma once
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace postern::vault {

// DATA/journal/register.log: what no restore may undo. Append-only, and outside of every backup that a restore puts
// back, so that an old database can neither bring back what was destroyed nor lose a hold. Replayed at start.
// On disk: "PSTNJRN1", then records: length of payload 32, kind 8, CRC32C over place, kind and payload 32, payload.
// Invariants: 1. append() returns after the sync. 2. A torn tail (a write that was never acknowledged) is cut at open.
// 3. Damage before a good record is never cut, for what stands behind it may forbid something: the register has
// trouble(), which whoever destroys asks first, gives every record that can be read, and takes none until an undamaged
// file is in its place. Mail goes on meanwhile.
// Threads: safe for all. Errors: Error(Io), Error(DiskFull); Error(Store) for a second owner and for appending in
// trouble.
class Journal {
public:
  // Numbers are on disk: never change one.
  enum class Kind : std::uint8_t {
    Tombstone = 1,   // objects whose keys are destroyed: written by Vault::destroyAll, nobody else
    HoldPlaced = 2,  // payloads of these are their owners'
    HoldReleased = 3,
    FloorLocked = 4,
    RootRotated = 5,
    Rollback = 6,  // a restore, as its own declaration
  };
  struct Record {
    std::uint64_t number = 0;  // from 1, without gaps
    Kind kind{};
    std::string_view payload;  // valid during the call
  };
  struct NewRecord {
    Kind kind{};
    std::string_view payload;
  };
  static constexpr std::size_t MostPayload = 16u << 20;

  explicit Journal(const std::filesystem::path& file);  // makes it and its folder when missing
  ~Journal();
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;

  // Durable on return; the number of the last record written.
  std::uint64_t append(Kind kind, std::string_view payload) {
    const NewRecord record{kind, payload};
    return appendAll({&record, 1});
  }
  std::uint64_t appendAll(std::span<const NewRecord> records);  // one sync

  // Why this register cannot tell all that must be kept, for an administrator; nothing: it can.
  std::optional<std::string> trouble() const;
  // For owners of records that cannot be read, or that are missing: the same as damage.
  void distrust(std::string why);

  // Every record after a number, oldest first. In trouble: all that can be read, whatever their numbers. Do not append
  // from inside.
  void forEach(const std::function<void(const Record&)>& show, std::uint64_t after = 0) const;
  std::uint64_t last() const;  // number of the newest record; 0: empty
  const std::filesystem::path& file() const;

private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace postern::vault
