#pragma once
#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace postern::store {

// Where a record lies. `length` is that of its body.
struct RecordRef {
  std::uint64_t segment = 0;  // 0: none
  std::uint32_t offset = 0;
  std::uint32_t length = 0;
  bool operator==(const RecordRef&) const = default;
  explicit operator bool() const { return segment != 0; }
};

// A position in the log: records at or after it come later than what was before it.
struct LogPosition {
  std::uint64_t segment = 0;
  std::uint32_t offset = 0;
  auto operator<=>(const LogPosition&) const = default;
};

// What a SegmentLog does to the disk: the seam where tests put faults.
class DiskAccess {
public:
  virtual ~DiskAccess() = default;
  virtual ssize_t write(int fd, const char* bytes, std::size_t length, std::uint64_t offset);  // as pwrite
  virtual int sync(int fd);                                                                    // as fdatasync
  virtual int allocate(int fd, std::uint64_t offset, std::uint64_t length);  // as fallocate, growing the file
  virtual int truncate(int fd, std::uint64_t length);                        // as ftruncate
  // As fallocate with PUNCH_HOLE: zeros are read there, and the space is free.
  virtual int punch(int fd, std::uint64_t offset, std::uint64_t length);
  virtual std::uint64_t freeSpace(const std::filesystem::path& folder);
};

// Append-only, checksummed files of records: the durable base of the queue and the vault.
//
// A record has a type, a small `meta` (at most 64 kB; what a scan shows) and a `body`. On disk: 16 bytes of header
// (length, length of meta, type, flags, CRC32C), meta, body. The CRC covers header, meta, body, the segment's number
// and the record's offset, so that bytes of an older file never pass as a record. CRC32C because it finds torn and
// rotten records at memory speed; it is no protection against tampering, which is the job of the seals inside. A body
// over 4 MB lies in a file of its own that the record in the segment names; same calls.
//
// Invariants: 1. append() returns after fdatasync: what it returned survives power loss. 2. A failed append leaves no
// record: the file is cut back; after a failed sync the segment is given up (cut to its last synced length, never
// written again), because the kernel may have dropped the dirty pages. 3. Only the last segment can have a torn tail;
// open() cuts it off. 4. A segment is deleted once it is closed, none of its records is retained and it lies wholly
// before the position given to allowReclaim().
// Threads: append from one thread; the rest safe for all. Errors: Error(Io), Error(DiskFull).
class SegmentLog {
public:
  struct Options {
    std::uint64_t segmentSize = 64u << 20;
    std::uint64_t minFreeSpace = 0;  // append() throws Error(DiskFull) rather than leave less
    std::uint32_t separateBodySize = 4u << 20;
  };
  struct NewRecord {
    std::uint8_t type = 0;
    std::string_view meta;
    std::string_view body;
  };
  struct ScannedRecord {
    std::uint8_t type = 0;
    RecordRef ref;
    std::string_view meta;
    LogPosition next;  // after this record
  };
  enum class Reserve { Keep, Use };  // Use: for records that free space in the end, down to a really full disk

  // Opens or creates the folder. `disk` must outlive the log; null: the real one.
  SegmentLog(const std::filesystem::path& folder, const Options& options, DiskAccess* disk = nullptr);
  ~SegmentLog();
  SegmentLog(const SegmentLog&) = delete;
  SegmentLog& operator=(const SegmentLog&) = delete;

  // Writes all records and syncs once: all or nothing. Each starts out retained.
  std::vector<RecordRef> append(std::span<const NewRecord> records, Reserve reserve = Reserve::Keep);
  RecordRef append(std::uint8_t type, std::string_view body) {
    const NewRecord record{type, {}, body};
    return append({&record, 1}).front();
  }

  // The body of a record. Error(Malformed) when the record is damaged, Error(Io) when it is gone.
  std::string read(const RecordRef& ref) const;
  // Meta and body of a record.
  struct StoredRecord {
    std::uint8_t type = 0;
    std::string meta;
    std::string body;
  };
  StoredRecord readRecord(const RecordRef& ref) const;

  // Shows every record from a position on, in order of writing. Returns the position after the last.
  // A damaged record inside a closed segment is counted (see damaged()) and logged; the scan goes on with the next
  // segment.
  LogPosition scan(LogPosition from, const std::function<void(const ScannedRecord&)>& show);
  std::uint64_t damaged() const;

  LogPosition end() const;

  // After open(): retain() each record that is still wanted, then allowReclaim(). release() ends one retention.
  void retain(const RecordRef& ref);
  void release(const RecordRef& ref);
  // For stores that count their records themselves: as many retentions of a segment at once (records with separate
  // bodies among them), and separate bodies that are still wanted.
  void retainCount(std::uint64_t segment, std::uint64_t records);
  void retainSeparate(const RecordRef& ref);
  // Overwrites meta and body of the records with zeros and gives their space back to the disk; synced on return. They
  // stay records, so that a scan finds what is behind them. Never in the segment that is being written: that one is
  // closed first, since its end is found by looking for the first bad record. Repeating it is fine; what is gone is
  // skipped. Threads: as append.
  void wipe(std::span<const RecordRef> refs);
  // Segments wholly before the position may be deleted once nothing in them is retained. Also sweeps.
  void allowReclaim(LogPosition before);

  // The files as they are, for a backup: open() reads the copy like the log itself. Closed files are linked where the
  // file system can, so they cost nothing; the last segment is copied. Durable on return. Threads: as append; and the
  // caller keeps what it needs from being reclaimed meanwhile.
  void copyFilesTo(const std::filesystem::path& target) const;

  std::uint64_t freeSpace() const;
  std::size_t segments() const;
  std::uint64_t bytes() const;  // on disk, segments and separate bodies

private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace postern::store
