#include "core/store/SegmentLog.h"

#include "core/store/SegmentLogImpl.h"

namespace postern::store {

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
