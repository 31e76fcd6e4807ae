#pragma once
#include "core/store/SegmentLog.h"

#include <atomic>
#include <cerrno>

namespace postern::test {

// A disk that fails on order: the failing twin of store::DiskAccess. Threads: safe for all.
class FaultyDisk : public store::DiskAccess {
public:
  std::atomic<int> writeError{0};              // errno of the next writes, 0: none
  std::atomic<std::int64_t> shortWriteAt{-1};  // the next write stops after so many bytes
  std::atomic<int> syncError{0};
  std::atomic<bool> truncateFails{false};
  std::atomic<std::int64_t> free{-1};  // -1: as it is
  std::atomic<int> syncs{0};

  ssize_t write(int fd, const char* bytes, std::size_t length, std::uint64_t offset) override {
    const auto stop = shortWriteAt.exchange(-1);
    if (stop >= 0) return store::DiskAccess::write(fd, bytes, std::min(length, static_cast<std::size_t>(stop)), offset);
    if (writeError != 0) {
      errno = writeError;
      return -1;
    }
    return store::DiskAccess::write(fd, bytes, length, offset);
  }
  int sync(int fd) override {
    ++syncs;
    if (syncError == 0) return store::DiskAccess::sync(fd);
    errno = syncError;
    return -1;
  }
  int truncate(int fd, std::uint64_t length) override {
    if (!truncateFails) return store::DiskAccess::truncate(fd, length);
    errno = EIO;
    return -1;
  }
  std::uint64_t freeSpace(const std::filesystem::path& folder) override {
    return free >= 0 ? static_cast<std::uint64_t>(free.load()) : store::DiskAccess::freeSpace(folder);
  }
};

}  // namespace postern::test
