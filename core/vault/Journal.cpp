#include "core/vault/Journal.h"

#include "core/base/Codec.h"
#include "core/base/Error.h"
#include "core/base/Files.h"
#include "core/base/Log.h"
#include "core/base/Mutex.h"
#include "core/store/Crc32c.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>

namespace postern::vault {

namespace {

constexpr std::string_view Magic = "PSTNJRN1";
constexpr std::size_t HeaderSize = 9;
constexpr std::size_t ChunkSize = 1u << 20;

std::uint32_t checksum(std::uint64_t offset, std::uint8_t kind, std::string_view payload) {
  return store::crc32c(payload, store::crc32c(std::move(Writer().u64(offset).u8(kind)).bytes()));
}

std::string recordBytes(std::uint64_t offset, const Journal::NewRecord& record) {
  const auto kind = static_cast<std::uint8_t>(record.kind);
  Writer writer;
  writer.u32(static_cast<std::uint32_t>(record.payload.size())).u8(kind);
  writer.u32(checksum(offset, kind, record.payload)).raw(record.payload);
  return std::move(writer).bytes();
}

// Reads a file of records front to back.
class Scan {
public:
  Scan(int fd, std::string file, std::uint64_t size) : fd_(fd), file_(std::move(file)), size_(size) {}

  // The payload of a good record at the offset; nothing when there is none.
  struct Found {
    Journal::Kind kind{};
    std::string_view payload;
    std::uint64_t end = 0;
  };
  std::optional<Found> at(std::uint64_t offset) {
    const auto header = view(offset, HeaderSize);
    if (header.size() < HeaderSize) return std::nullopt;
    Reader reader(header);
    const auto length = reader.u32();
    const auto kind = reader.u8();
    const auto crc = reader.u32();
    if (kind == 0 || length > Journal::MostPayload) return std::nullopt;
    const auto payload = view(offset + HeaderSize, length);
    if (payload.size() < length || checksum(offset, kind, payload) != crc) return std::nullopt;
    return Found{static_cast<Journal::Kind>(kind), payload, offset + HeaderSize + length};
  }

  // The first good record behind the offset, wherever it begins. Only asked when something is wrong.
  std::optional<Found> nextBehind(std::uint64_t offset) {
    for (auto next = offset + 1; next + HeaderSize <= size_; ++next)
      if (auto found = at(next)) return found;
    return std::nullopt;
  }

private:
  std::string_view view(std::uint64_t offset, std::size_t length) {
    if (offset < start_ || offset + length > start_ + buffer_.size()) {
      start_ = offset;
      buffer_.resize(static_cast<std::size_t>(
          std::min<std::uint64_t>(std::max(length, ChunkSize), size_ > offset ? size_ - offset : 0)));
      std::size_t have = 0;
      while (have < buffer_.size()) {
        const auto count =
            ::pread(fd_, buffer_.data() + have, buffer_.size() - have, static_cast<off_t>(offset + have));
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) throwErrno("read", file_);
        if (count == 0) break;
        have += static_cast<std::size_t>(count);
      }
      buffer_.resize(have);
    }
    return std::string_view(buffer_).substr(static_cast<std::size_t>(offset - start_), length);
  }

  int fd_;
  std::string file_;
  std::uint64_t size_;
  std::uint64_t start_ = 0;
  std::string buffer_;
};

}  // namespace

struct Journal::Impl {
  explicit Impl(const std::filesystem::path& path) : file(path) { open(); }

  void open() EXCLUDES_LOCK(mutex) {
    const MutexLock lock(mutex);
    const auto folder = file.has_parent_path() ? file.parent_path() : ".";
    files::makePrivateFolder(folder);
    fd = FileDescriptor(::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!fd) throwErrno("open", file);
    if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0)
      throw Error(ErrorKind::Store, "the register " + file.string() + " is in use by another process");
    const auto end = ::lseek(fd.get(), 0, SEEK_END);
    if (end < 0) throwErrno("read", file);
    auto length = static_cast<std::uint64_t>(end);
    if (length < Magic.size()) {  // new, or the first write was cut short
      cut(0);
      writeAt(Magic, 0);
      sync();
      files::syncFolder(folder);
      length = Magic.size();
    }
    std::string magic(Magic.size(), '\0');
    if (::pread(fd.get(), magic.data(), magic.size(), 0) != static_cast<ssize_t>(magic.size()))
      throwErrno("read", file);
    if (magic != Magic) trouble = file.string() + " is not a register of Postern";
    Scan scan(fd.get(), file.string(), length);
    size = Magic.size();
    while (const auto record = scan.at(size)) {
      size = record->end;
      ++count;
    }
    const auto good = size;
    size = length;  // whatever stands there stays
    if (good == length || trouble) return;
    if (scan.nextBehind(good)) {
      trouble = "the register " + file.string() + " is damaged at byte " + std::to_string(good) +
                ", with good records behind";
      return;
    }
    size = good;
    log::warning("vault", "cut a record off the register that was never finished",
                 {{"file", file.string()}, {"offset", size}});
    cut(size);
    sync();
  }

  void cut(std::uint64_t at) REQUIRES_LOCK(mutex) {
    if (::ftruncate(fd.get(), static_cast<off_t>(at)) != 0) throwErrno("cut", file);
  }
  void sync() REQUIRES_LOCK(mutex) {
    if (::fdatasync(fd.get()) != 0) {
      broken = true;  // the kernel may have dropped the pages: nothing more is promised until a new start
      throwErrno("sync", file);
    }
  }
  void writeAt(std::string_view bytes, std::uint64_t offset) REQUIRES_LOCK(mutex) {
    while (!bytes.empty()) {
      const auto written = ::pwrite(fd.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
      if (written < 0 && errno == EINTR) continue;
      if (written <= 0) throwErrno("write", file);
      bytes.remove_prefix(static_cast<std::size_t>(written));
      offset += static_cast<std::uint64_t>(written);
    }
  }

  std::uint64_t append(std::span<const NewRecord> records) EXCLUDES_LOCK(mutex) {
    const MutexLock lock(mutex);
    if (trouble) throw Error(ErrorKind::Store, *trouble + "; it takes nothing until an undamaged copy is put back");
    if (broken)
      throw Error(ErrorKind::Io, "the register " + file.string() + " could not be synced before; restart Postern");
    std::string bytes;
    for (const auto& record : records) {
      if (record.payload.size() > MostPayload) throw Error(ErrorKind::Invariant, "a record too large for the register");
      bytes += recordBytes(size + bytes.size(), record);
    }
    try {
      writeAt(bytes, size);
      sync();
    } catch (const Error&) {
      // What is not acknowledged must not be there at the next start: a tombstone of what was kept would destroy it.
      cut(size);
      throw;
    }
    size += bytes.size();
    count += records.size();
    return count;
  }

  const std::filesystem::path file;
  mutable Mutex mutex;
  FileDescriptor fd GUARDED_BY(mutex);
  std::uint64_t size GUARDED_BY(mutex) = 0;
  std::uint64_t count GUARDED_BY(mutex) = 0;
  bool broken GUARDED_BY(mutex) = false;
  std::optional<std::string> trouble GUARDED_BY(mutex);
};

Journal::Journal(const std::filesystem::path& file) : impl_(std::make_unique<Impl>(file)) {}
Journal::~Journal() = default;

std::uint64_t Journal::appendAll(std::span<const NewRecord> records) {
  return impl_->append(records);
}

void Journal::forEach(const std::function<void(const Record&)>& show, std::uint64_t after) const {
  const MutexLock lock(impl_->mutex);
  Scan scan(impl_->fd.get(), impl_->file.string(), impl_->size);
  std::uint64_t offset = Magic.size();
  if (impl_->trouble) {
    for (std::uint64_t number = 1; offset < impl_->size; ++number) {
      auto record = scan.at(offset);
      if (!record) record = scan.nextBehind(offset);
      if (!record) return;
      show({number, record->kind, record->payload});
      offset = record->end;
    }
    return;
  }
  for (std::uint64_t number = 1; number <= impl_->count; ++number) {
    const auto record = scan.at(offset);
    if (!record)
      throw Error(ErrorKind::Store, "the register " + impl_->file.string() + " was damaged while it was open");
    if (number > after) show({number, record->kind, record->payload});
    offset = record->end;
  }
}

std::optional<std::string> Journal::trouble() const {
  const MutexLock lock(impl_->mutex);
  return impl_->trouble;
}

void Journal::distrust(std::string why) {
  log::error("vault", "the register cannot be trusted; nothing is destroyed", {{"why", why}});
  const MutexLock lock(impl_->mutex);
  if (!impl_->trouble) impl_->trouble = std::move(why);
}

std::uint64_t Journal::last() const {
  const MutexLock lock(impl_->mutex);
  return impl_->count;
}

const std::filesystem::path& Journal::file() const {
  return impl_->file;
}

}  // namespace postern::vault
