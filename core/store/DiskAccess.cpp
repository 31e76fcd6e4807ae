#include "core/base/Files.h"
#include "core/store/SegmentLog.h"

#include <fcntl.h>
#include <unistd.h>

namespace postern::store {

ssize_t DiskAccess::write(int fd, const char* bytes, std::size_t length, std::uint64_t offset) {
  return ::pwrite(fd, bytes, length, static_cast<off_t>(offset));
}

int DiskAccess::sync(int fd) {
  return ::fdatasync(fd);
}

int DiskAccess::allocate(int fd, std::uint64_t offset, std::uint64_t length) {
  return ::fallocate(fd, 0, static_cast<off_t>(offset), static_cast<off_t>(length));
}

int DiskAccess::truncate(int fd, std::uint64_t length) {
  return ::ftruncate(fd, static_cast<off_t>(length));
}

int DiskAccess::punch(int fd, std::uint64_t offset, std::uint64_t length) {
  return ::fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, static_cast<off_t>(offset),
                     static_cast<off_t>(length));
}

std::uint64_t DiskAccess::freeSpace(const std::filesystem::path& folder) {
  return files::freeSpace(folder);
}

}  // namespace postern::store
