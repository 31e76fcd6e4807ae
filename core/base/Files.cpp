#include "core/base/Files.h"

#include "core/base/Error.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>

namespace postern {

FileDescriptor& FileDescriptor::operator=(FileDescriptor&& other) noexcept {
  if (this != &other) {
    reset();
    fd_ = other.release();
  }
  return *this;
}

int FileDescriptor::release() {
  const int fd = fd_;
  fd_ = -1;
  return fd;
}

void FileDescriptor::reset() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

namespace files {

std::string read(const std::filesystem::path& path) {
  FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) throwErrno("open", path);
  std::string content;
  char buffer[65536];
  for (;;) {
    const auto count = ::read(file.get(), buffer, sizeof buffer);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throwErrno("read", path);
    if (count == 0) return content;
    content.append(buffer, static_cast<std::size_t>(count));
  }
}

void writeAll(int fd, std::string_view bytes, const std::string& path) {
  while (!bytes.empty()) {
    const auto count = ::write(fd, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throwErrno("write", path);
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
}

void replaceDurably(const std::filesystem::path& path, std::string_view content, unsigned mode) {
  const auto temporary = path.string() + ".new";
  FileDescriptor file(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode));
  if (!file) throwErrno("create", temporary);
  writeAll(file.get(), content, temporary);
  if (::fchmod(file.get(), mode) != 0) throwErrno("set the permissions of", temporary);
  if (::fsync(file.get()) != 0) throwErrno("sync", temporary);
  if (::rename(temporary.c_str(), path.c_str()) != 0) throwErrno("rename", temporary);
  syncFolder(path.has_parent_path() ? path.parent_path() : ".");
}

void syncFolder(const std::filesystem::path& folder) {
  FileDescriptor handle(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!handle) throwErrno("open folder", folder);
  if (::fsync(handle.get()) != 0) throwErrno("sync folder", folder);
}

void makePrivateFolder(const std::filesystem::path& folder) {
  if (std::filesystem::is_directory(folder)) return;
  if (folder.has_parent_path() && folder.parent_path() != folder) makePrivateFolder(folder.parent_path());
  if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) throwErrno("create folder", folder);
}

std::uint64_t freeSpace(const std::filesystem::path& folder) {
  struct statvfs facts {};
  if (::statvfs(folder.c_str(), &facts) != 0) throwErrno("ask for the free space of", folder);
  return static_cast<std::uint64_t>(facts.f_bavail) * facts.f_frsize;
}

}  // namespace files
}  // namespace postern
