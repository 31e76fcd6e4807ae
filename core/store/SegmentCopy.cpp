#include "core/store/SegmentLogImpl.h"

#include <algorithm>

namespace postern::store {

namespace {

// A file that is gone is left out: its records were released, and a later record says so.
void copyFile(const std::filesystem::path& from, const std::filesystem::path& to) {
  const FileDescriptor source(::open(from.c_str(), O_RDONLY | O_CLOEXEC));
  if (!source && errno == ENOENT) return;
  if (!source) throwErrno("open", from);
  const FileDescriptor target(::open(to.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!target) throwErrno("create", to);
  constexpr std::size_t Piece = 1u << 20;
  for (std::uint64_t offset = 0;;) {
    const auto bytes = segment::readAt(source.get(), offset, Piece, from);
    files::writeAll(target.get(), bytes, to);
    offset += bytes.size();
    if (bytes.size() < Piece) break;
  }
  if (::fsync(target.get()) != 0) throwErrno("sync", to);
}

// Links are refused across file systems, and to a confined process on older kernels.
void linkOrCopy(const std::filesystem::path& from, const std::filesystem::path& to) {
  if (::link(from.c_str(), to.c_str()) == 0 || errno == ENOENT) return;
  copyFile(from, to);
}

}  // namespace

void SegmentLog::copyFilesTo(const std::filesystem::path& target) const {
  files::makePrivateFolder(target);
  std::set<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(impl_->folder))
    names.insert(entry.path().filename().string());
  const auto last = std::find_if(names.rbegin(), names.rend(), [](const auto& name) { return name.ends_with(".seg"); });
  for (const auto& name : names) {
    if (last != names.rend() && name == *last)
      copyFile(impl_->folder / name, target / name);
    else
      linkOrCopy(impl_->folder / name, target / name);
  }
  files::syncFolder(target);
}

}  // namespace postern::store
