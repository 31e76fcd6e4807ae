#pragma once
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace postern {

// An open file descriptor, closed with the object. Movable, not copyable.
class FileDescriptor {
public:
  FileDescriptor() = default;
  explicit FileDescriptor(int fd) : fd_(fd) {}
  FileDescriptor(FileDescriptor&& other) noexcept : fd_(other.release()) {}
  FileDescriptor& operator=(FileDescriptor&& other) noexcept;
  ~FileDescriptor() { reset(); }

  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }
  int release();
  void reset();

private:
  int fd_ = -1;
};

// Whole-file helpers. Errors: all throw Error(Io or DiskFull) naming the path.
namespace files {

std::string read(const std::filesystem::path& path);

// Replaces the file so that after a power cut either the old or the new content is there:
// temporary file, fsync, rename, fsync of the folder. `mode` is the permission of the new file.
void replaceDurably(const std::filesystem::path& path, std::string_view content, unsigned mode = 0600);

void syncFolder(const std::filesystem::path& folder);

// Creates the folder (and its parents) with permission 0700 if it is missing.
void makePrivateFolder(const std::filesystem::path& folder);

std::uint64_t freeSpace(const std::filesystem::path& folder);  // bytes that a process without privilege may use

void writeAll(int fd, std::string_view bytes, const std::string& path);

}  // namespace files
}  // namespace postern
