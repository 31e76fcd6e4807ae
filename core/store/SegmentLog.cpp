#include "core/store/SegmentLog.h"

#include "core/base/Error.h"
#include "core/base/Files.h"
#include "core/base/Log.h"
#include "core/base/Mutex.h"
#include "core/store/Crc32c.h"
#include "core/store/SegmentFormat.h"

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <charconv>
#include <cinttypes>
#include <map>
#include <set>

namespace postern::store {

namespace {

constexpr std::uint64_t AllocationStep = 8u << 20;
constexpr std::size_t MaxOpenForReading = 128;

std::string hexName(std::uint64_t number) {
  char text[17];
  std::snprintf(text, sizeof text, "%016" PRIx64, number);
  return text;
}

std::optional<std::uint64_t> parseHexName(std::string_view name) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number, 16);
  if (name.size() != 16 || error != std::errc() || end != name.data() + name.size() || number == 0) return std::nullopt;
  return number;
}

}  // namespace

struct SegmentLog::Impl {
  struct Segment {
    std::uint64_t size = 0;  // up to the end of the last good record
    std::uint64_t retained = 0;
  };

  std::filesystem::path folder;
  Options options;
  DiskAccess standardDisk;
  DiskAccess* disk = nullptr;

  // Of the appending thread.
  FileDescriptor active;
  std::uint64_t allocated = 0;

  mutable Mutex mutex;
  std::map<std::uint64_t, Segment> segments GUARDED_BY(mutex);
  std::uint64_t activeNumber GUARDED_BY(mutex) = 0;  // 0: none is open for writing
  std::uint64_t lastNumber GUARDED_BY(mutex) = 0;
  std::uint64_t damaged GUARDED_BY(mutex) = 0;
  std::uint64_t separateBytes GUARDED_BY(mutex) = 0;
  std::optional<LogPosition> reclaimBefore GUARDED_BY(mutex);
  std::set<std::string> separateRetained GUARDED_BY(mutex);  // between open() and allowReclaim()
  mutable std::map<std::uint64_t, std::shared_ptr<const FileDescriptor>> readers GUARDED_BY(mutex);

  std::filesystem::path segmentPath(std::uint64_t number) const { return folder / (hexName(number) + ".seg"); }
  static std::string bodyName(std::uint64_t segment, std::uint32_t offset) {
    return hexName(segment) + "-" + hexName(offset) + ".body";
  }
  std::filesystem::path bodyPath(const RecordRef& ref) const { return folder / bodyName(ref.segment, ref.offset); }

  // ---- opening

  void open() EXCLUDES_LOCK(mutex) {
    files::makePrivateFolder(folder);
    MutexLock lock(mutex);
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
      const auto name = entry.path().filename().string();
      if (name.ends_with(".body")) separateBytes += entry.file_size();
      const auto number = parseHexName(std::string_view(name).substr(0, name.find('.')));
      if (name.ends_with(".seg") && number) segments[*number].size = entry.file_size();
    }
    if (segments.empty()) return;
    lastNumber = segments.rbegin()->first;
    cutTornTail();
  }

  // The last segment ends at its last good record: what follows was never acknowledged.
  void cutTornTail() REQUIRES_LOCK(mutex) {
    auto& segment = segments.rbegin()->second;
    const auto path = segmentPath(lastNumber);
    segment::Cursor cursor(path, lastNumber);
    if (!cursor.headerIsGood()) {
      // The crash came before the first record was synced.
      std::filesystem::remove(path);
      segments.erase(lastNumber);
      return;
    }
    segment.size = walk(cursor, lastNumber, segment::FileHeaderSize, {});
    active = FileDescriptor(::open(path.c_str(), O_RDWR | O_CLOEXEC));
    if (!active) throwErrno("open", path);
    if (disk->truncate(active.get(), segment.size) != 0) throwErrno("cut the torn end off", path);
    if (disk->sync(active.get()) != 0) throwErrno("sync", path);
    allocated = segment.size;
    activeNumber = lastNumber;
  }

  // Shows the good records from an offset on; returns the end of the last one. A bad record with a good one behind it
  // is damage, not a torn tail: it is counted and stepped over.
  std::uint64_t walk(segment::Cursor& cursor, std::uint64_t number, std::uint64_t offset,
                     const std::function<void(const ScannedRecord&)>& show, std::uint64_t* bad = nullptr) const {
    while (true) {
      if (const auto record = cursor.recordAt(offset)) {
        const auto header = *segment::parseHeader(*record);
        const auto end = offset + record->size();
        if (show)
          show({header.type,
                {number, static_cast<std::uint32_t>(offset), header.bodyLength},
                record->substr(segment::HeaderSize, header.metaLength),
                {number, static_cast<std::uint32_t>(end)}});
        offset = end;
        continue;
      }
      const auto claimed = cursor.claimedEnd(offset);
      if (!claimed || !cursor.recordAt(*claimed)) return offset;
      log::error("store", "a record in the segment log is damaged and was skipped",
                 {{"file", segmentPath(number).string()}, {"offset", offset}});
      if (bad) ++*bad;
      offset = *claimed;
    }
  }

  // ---- appending

  void checkRoom(std::span<const NewRecord> records, Reserve reserve) {
    std::uint64_t wanted = 0;
    for (const auto& record : records) wanted += segment::HeaderSize + record.meta.size() + record.body.size();
    const auto left = disk->freeSpace(folder);
    const auto keep = reserve == Reserve::Keep ? options.minFreeSpace : 0;
    if (left < wanted + keep)
      throw Error(ErrorKind::DiskFull, "no room in " + folder.string() + ": " + std::to_string(left) +
                                           " bytes are free and " + std::to_string(options.minFreeSpace) +
                                           " are to stay free (gateway.min_free_space); free some space");
  }

  // Ends the active segment at its last record. What is in it is synced already, so a failure harms nothing.
  void closeActive() EXCLUDES_LOCK(mutex) {
    if (!active) return;
    std::uint64_t size = 0;
    {
      MutexLock lock(mutex);
      size = segments[activeNumber].size;
      activeNumber = 0;
    }
    if (disk->truncate(active.get(), size) == 0) disk->sync(active.get());
    active.reset();
  }

  void openNext() EXCLUDES_LOCK(mutex) {
    std::uint64_t number = 0;
    {
      MutexLock lock(mutex);
      number = ++lastNumber;
    }
    const auto path = segmentPath(number);
    FileDescriptor fresh(::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (!fresh) throwErrno("create", path);
    try {
      allocated = 0;
      writeAt(fresh.get(), segment::fileHeader(number), 0, path);
      files::syncFolder(folder);
    } catch (const Error&) {
      std::filesystem::remove(path);
      throw;
    }
    active = std::move(fresh);
    allocated = segment::FileHeaderSize;
    MutexLock lock(mutex);
    activeNumber = number;
    segments[number].size = segment::FileHeaderSize;
  }

  void allocateUpTo(std::uint64_t end) {
    if (end <= allocated) return;
    const auto target = std::max(end, std::min(allocated + AllocationStep, options.segmentSize));
    if (disk->allocate(active.get(), allocated, target - allocated) == 0) {
      allocated = target;
      return;
    }
    // A file system without allocation, or no room for the step: the write itself decides.
    if (errno != EOPNOTSUPP && errno != ENOSPC && errno != ENOSYS) throwErrno("allocate space in", folder);
  }

  void writeAt(int fd, std::string_view bytes, std::uint64_t offset, const std::string& path) {
    while (!bytes.empty()) {
      const auto count = disk->write(fd, bytes.data(), bytes.size(), offset);
      if (count < 0 && errno == EINTR) continue;
      if (count <= 0) throwErrno("write", path);
      bytes.remove_prefix(static_cast<std::size_t>(count));
      offset += static_cast<std::uint64_t>(count);
    }
  }

  void writeSeparate(const RecordRef& ref, std::string_view body) {
    const auto path = bodyPath(ref);
    FileDescriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    if (!file) throwErrno("create", path);
    writeAt(file.get(), body, 0, path);
    if (disk->sync(file.get()) != 0) throwErrno("sync", path);
  }

  struct Batch {
    std::string bytes;
    std::vector<RecordRef> refs;
    std::vector<RecordRef> separate;
  };

  // Lays the records out from `offset` on; writes separate bodies on the way.
  void layOut(Batch& batch, std::span<const NewRecord> records, std::uint64_t segment, std::uint64_t offset) {
    for (const auto& record : records) {
      segment::Header header;
      header.bodyLength = static_cast<std::uint32_t>(record.body.size());
      header.metaLength = static_cast<std::uint16_t>(record.meta.size());
      header.type = record.type;
      const auto place = offset + batch.bytes.size();
      const RecordRef ref{segment, static_cast<std::uint32_t>(place), header.bodyLength};
      if (record.body.size() > options.separateBodySize) {
        header.flags = segment::SeparateBody;
        header.separateCrc = crc32c(record.body);
        batch.separate.push_back(ref);
        writeSeparate(ref, record.body);
      }
      segment::appendRecord(batch.bytes, segment, place, header, record.meta,
                            header.separate() ? std::string_view() : record.body);
      batch.refs.push_back(ref);
    }
    if (!batch.separate.empty()) files::syncFolder(folder);
  }

  // Undoes an append that failed before the sync: the file is cut back, or given up if even that fails.
  void undo(const Batch& batch, std::uint64_t size) {
    for (const auto& ref : batch.separate) std::filesystem::remove(bodyPath(ref));
    allocated = size;
    if (disk->truncate(active.get(), size) != 0) giveUpActive(size);
  }

  // After a failed sync the kernel may report the same pages as clean: the file is never written again.
  void giveUpActive(std::uint64_t size) EXCLUDES_LOCK(mutex) {
    log::error("store", "a segment could not be synced and is given up",
               {{"folder", folder.string()}, {"reason", std::generic_category().message(errno)}});
    if (disk->truncate(active.get(), size) == 0) disk->sync(active.get());
    active.reset();
    MutexLock lock(mutex);
    activeNumber = 0;
  }

  std::vector<RecordRef> append(std::span<const NewRecord> records, Reserve reserve) {
    std::uint64_t inlineSize = 0;
    for (const auto& record : records) {
      if (record.type == 0 || record.meta.size() > UINT16_MAX || record.body.size() > UINT32_MAX)
        throw Error(ErrorKind::Invariant, "a record does not fit the segment log");
      inlineSize += segment::HeaderSize + record.meta.size();
      if (record.body.size() <= options.separateBodySize) inlineSize += record.body.size();
    }
    if (inlineSize > (std::uint64_t{3} << 30)) throw Error(ErrorKind::Invariant, "too many records for one append");
    checkRoom(records, reserve);
    if (active && activeSize() + inlineSize > options.segmentSize && activeSize() > segment::FileHeaderSize)
      closeActive();
    if (!active) openNext();

    const auto size = activeSize();
    Batch batch;
    batch.bytes.reserve(inlineSize);
    try {
      layOut(batch, records, numberOfActive(), size);
      allocateUpTo(size + batch.bytes.size());
      writeAt(active.get(), batch.bytes, size, segmentPath(numberOfActive()));
    } catch (const Error&) {
      undo(batch, size);
      throw;
    }
    if (disk->sync(active.get()) != 0) {
      const Error failure(
          errno == ENOSPC || errno == EDQUOT ? ErrorKind::DiskFull : ErrorKind::Io,
          "cannot sync " + segmentPath(numberOfActive()).string() + ": " + std::generic_category().message(errno));
      for (const auto& ref : batch.separate) std::filesystem::remove(bodyPath(ref));
      giveUpActive(size);
      throw failure;
    }
    publish(batch, size);
    return std::move(batch.refs);
  }

  void publish(const Batch& batch, std::uint64_t size) EXCLUDES_LOCK(mutex) {
    MutexLock lock(mutex);
    auto& segment = segments[activeNumber];
    segment.size = size + batch.bytes.size();
    segment.retained += batch.refs.size();
    for (const auto& ref : batch.separate) separateBytes += ref.length;
  }

  std::uint64_t activeSize() const EXCLUDES_LOCK(mutex) {
    MutexLock lock(mutex);
    return segments.at(activeNumber).size;
  }
  std::uint64_t numberOfActive() const EXCLUDES_LOCK(mutex) {
    MutexLock lock(mutex);
    return activeNumber;
  }

  // ---- reading

  std::shared_ptr<const FileDescriptor> readerOf(std::uint64_t number) const EXCLUDES_LOCK(mutex) {
    MutexLock lock(mutex);
    auto& reader = readers[number];
    if (!reader) {
      const auto path = segmentPath(number);
      FileDescriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
      if (!fd) {
        readers.erase(number);
        throwErrno("open", path);
      }
      auto opened = std::make_shared<const FileDescriptor>(std::move(fd));
      reader = opened;
      if (readers.size() > MaxOpenForReading)
        readers.erase(readers.begin()->first == number ? std::next(readers.begin()) : readers.begin());
      return opened;
    }
    return reader;
  }

  StoredRecord readRecord(const RecordRef& ref) const {
    constexpr std::size_t MetaGuess = 512;
    const auto path = segmentPath(ref.segment).string();
    const auto fd = readerOf(ref.segment);
    const auto guess = segment::HeaderSize + MetaGuess + (ref.length > options.separateBodySize ? 0 : ref.length);
    auto bytes = segment::readAt(fd->get(), ref.offset, guess, path);
    const auto header = segment::parseHeader(bytes);
    if (header && header->size() > bytes.size() && header->bodyLength == ref.length)
      bytes = segment::readAt(fd->get(), ref.offset, static_cast<std::size_t>(header->size()), path);
    if (!header || header->bodyLength != ref.length || bytes.size() < header->size() ||
        !segment::verifies(std::string_view(bytes).substr(0, static_cast<std::size_t>(header->size())), ref.segment,
                           ref.offset))
      throw Error(ErrorKind::Malformed, "the record at " + path + ":" + std::to_string(ref.offset) + " is damaged");
    StoredRecord record;
    record.type = header->type;
    record.meta = bytes.substr(segment::HeaderSize, header->metaLength);
    if (header->separate()) {
      record.body = files::read(bodyPath(ref));
      if (record.body.size() != ref.length || crc32c(record.body) != header->separateCrc)
        throw Error(ErrorKind::Malformed, "the file " + bodyPath(ref).string() + " is damaged");
    } else {
      bytes.resize(static_cast<std::size_t>(header->size()));
      bytes.erase(0, segment::HeaderSize + header->metaLength);
      record.body = std::move(bytes);
    }
    return record;
  }

  // ---- reclaiming

  void sweep() REQUIRES_LOCK(mutex) {
    if (!reclaimBefore) return;
    for (auto it = segments.begin(); it != segments.end() && it->first < reclaimBefore->segment;) {
      if (it->second.retained > 0 || it->first == activeNumber) {
        ++it;
        continue;
      }
      std::error_code ignored;  // what cannot be deleted now is found and deleted after the next start
      std::filesystem::remove(segmentPath(it->first), ignored);
      readers.erase(it->first);
      it = segments.erase(it);
    }
  }

  // ---- wiping

  // The active segment ends here, and another one is last for good, before anything in it is overwritten.
  void leaveActive() EXCLUDES_LOCK(mutex) {
    closeActive();
    openNext();
    if (disk->sync(active.get()) != 0) throwErrno("sync", segmentPath(numberOfActive()));
  }

  void wipeOne(int fd, const RecordRef& ref, const std::string& path) {
    const auto header = segment::parseHeader(segment::readAt(fd, ref.offset, segment::HeaderSize, path));
    if (!header || header->bodyLength != ref.length) {
      // Not what was written there: better to leave a record than to destroy another one.
      log::error("store", "a record to be wiped is damaged and was left", {{"file", path}, {"offset", ref.offset}});
      return;
    }
    const auto length = header->metaLength + header->inlineBody();
    std::string record;
    segment::appendRecord(record, ref.segment, ref.offset, *header, std::string(header->metaLength, '\0'),
                          std::string(static_cast<std::size_t>(header->inlineBody()), '\0'));
    writeAt(fd, std::string_view(record).substr(0, segment::HeaderSize), ref.offset, path);
    const auto start = ref.offset + segment::HeaderSize;
    if (disk->punch(fd, start, length) == 0) return;
    if (errno != EOPNOTSUPP && errno != ENOSYS) throwErrno("wipe a record in", path);
    writeAt(fd, std::string_view(record).substr(segment::HeaderSize), start, path);
  }

  void wipe(std::span<const RecordRef> refs) EXCLUDES_LOCK(mutex) {
    std::map<std::uint64_t, std::vector<RecordRef>> bySegment;
    for (const auto& ref : refs) bySegment[ref.segment].push_back(ref);
    bool inActive = false;
    {
      const MutexLock lock(mutex);
      inActive = activeNumber != 0 && bySegment.contains(activeNumber);
    }
    if (inActive) leaveActive();
    for (const auto& [number, records] : bySegment) {
      const auto path = segmentPath(number);
      const FileDescriptor fd(::open(path.c_str(), O_RDWR | O_CLOEXEC));
      if (!fd && errno == ENOENT) continue;
      if (!fd) throwErrno("open", path);
      for (const auto& ref : records) {
        wipeOne(fd.get(), ref, path);
        if (ref.length <= options.separateBodySize) continue;
        const MutexLock lock(mutex);
        removeSeparate(ref);
      }
      if (disk->sync(fd.get()) != 0) throwErrno("sync", path);
    }
  }

  void removeSeparate(const RecordRef& ref) REQUIRES_LOCK(mutex) {
    std::error_code ignored;
    if (std::filesystem::remove(bodyPath(ref), ignored))
      separateBytes -= std::min<std::uint64_t>(separateBytes, ref.length);
  }
};

SegmentLog::SegmentLog(const std::filesystem::path& folder, const Options& options, DiskAccess* disk)
    : impl_(std::make_unique<Impl>()) {
  impl_->folder = folder;
  impl_->options = options;
  impl_->disk = disk ? disk : &impl_->standardDisk;
  impl_->open();
}

SegmentLog::~SegmentLog() {
  impl_->closeActive();
}

std::vector<RecordRef> SegmentLog::append(std::span<const NewRecord> records, Reserve reserve) {
  return impl_->append(records, reserve);
}

std::string SegmentLog::read(const RecordRef& ref) const {
  return impl_->readRecord(ref).body;
}
SegmentLog::StoredRecord SegmentLog::readRecord(const RecordRef& ref) const {
  return impl_->readRecord(ref);
}

LogPosition SegmentLog::scan(LogPosition from, const std::function<void(const ScannedRecord&)>& show) {
  std::vector<std::pair<std::uint64_t, std::uint64_t>> toRead;
  {
    MutexLock lock(impl_->mutex);
    for (const auto& [number, segment] : impl_->segments)
      if (number >= from.segment) toRead.emplace_back(number, segment.size);
  }
  std::uint64_t bad = 0;
  for (const auto& [number, size] : toRead) {
    segment::Cursor cursor(impl_->segmentPath(number), number);
    const auto start =
        number == from.segment ? std::max(from.offset, segment::FileHeaderSize) : segment::FileHeaderSize;
    const auto end = cursor.headerIsGood() ? impl_->walk(cursor, number, start, show, &bad) : 0;
    if (end < size) {
      ++bad;
      log::error("store", "a segment is damaged from an offset on",
                 {{"file", impl_->segmentPath(number).string()}, {"offset", end}});
    }
  }
  MutexLock lock(impl_->mutex);
  impl_->damaged += bad;
  if (toRead.empty()) return from;
  return {toRead.back().first, static_cast<std::uint32_t>(toRead.back().second)};
}

std::uint64_t SegmentLog::damaged() const {
  MutexLock lock(impl_->mutex);
  return impl_->damaged;
}

LogPosition SegmentLog::end() const {
  MutexLock lock(impl_->mutex);
  if (impl_->segments.empty()) return {};
  const auto& [number, segment] = *impl_->segments.rbegin();
  return {number, static_cast<std::uint32_t>(segment.size)};
}

void SegmentLog::retain(const RecordRef& ref) {
  MutexLock lock(impl_->mutex);
  const auto found = impl_->segments.find(ref.segment);
  if (found != impl_->segments.end()) ++found->second.retained;
  if (ref.length > impl_->options.separateBodySize && !impl_->reclaimBefore)
    impl_->separateRetained.insert(Impl::bodyName(ref.segment, ref.offset));
}

void SegmentLog::release(const RecordRef& ref) {
  MutexLock lock(impl_->mutex);
  if (ref.length > impl_->options.separateBodySize) impl_->removeSeparate(ref);
  const auto found = impl_->segments.find(ref.segment);
  if (found == impl_->segments.end() || found->second.retained == 0) return;
  if (--found->second.retained == 0) impl_->sweep();
}

void SegmentLog::retainCount(std::uint64_t segment, std::uint64_t records) {
  MutexLock lock(impl_->mutex);
  const auto found = impl_->segments.find(segment);
  if (found != impl_->segments.end()) found->second.retained += records;
}

void SegmentLog::retainSeparate(const RecordRef& ref) {
  MutexLock lock(impl_->mutex);
  if (!impl_->reclaimBefore) impl_->separateRetained.insert(Impl::bodyName(ref.segment, ref.offset));
}

void SegmentLog::wipe(std::span<const RecordRef> refs) {
  impl_->wipe(refs);
}

void SegmentLog::allowReclaim(LogPosition before) {
  MutexLock lock(impl_->mutex);
  if (!impl_->reclaimBefore) {
    // Separate bodies that nobody asked to keep: their record was released, or never synced.
    for (const auto& entry : std::filesystem::directory_iterator(impl_->folder)) {
      const auto name = entry.path().filename().string();
      if (!name.ends_with(".body") || impl_->separateRetained.contains(name)) continue;
      impl_->separateBytes -= std::min<std::uint64_t>(impl_->separateBytes, entry.file_size());
      std::filesystem::remove(entry.path());
    }
    impl_->separateRetained.clear();
  }
  impl_->reclaimBefore = before;
  impl_->sweep();
}

std::uint64_t SegmentLog::freeSpace() const {
  return impl_->disk->freeSpace(impl_->folder);
}

std::size_t SegmentLog::segments() const {
  MutexLock lock(impl_->mutex);
  return impl_->segments.size();
}

std::uint64_t SegmentLog::bytes() const {
  MutexLock lock(impl_->mutex);
  std::uint64_t total = impl_->separateBytes;
  for (const auto& [number, segment] : impl_->segments) total += segment.size;
  return total;
}

}  // namespace postern::store
