#include "core/store/SegmentFormat.h"

#include "core/base/Codec.h"
#include "core/base/Error.h"
#include "core/store/Crc32c.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace postern::store::segment {

namespace {

std::uint32_t crcAt(std::uint64_t segment, std::uint64_t offset, std::string_view headerWithoutCrc,
                    std::string_view rest) {
  Writer place;
  place.u64(segment).u64(offset);
  return crc32c(rest, crc32c(headerWithoutCrc, crc32c(place.bytes())));
}

}  // namespace

std::string fileHeader(std::uint64_t number) {
  Writer writer;
  writer.raw(Magic).u64(number);
  return std::move(writer).bytes();
}

void appendRecord(std::string& to, std::uint64_t segment, std::uint64_t offset, Header header, std::string_view meta,
                  std::string_view inlineBody) {
  Writer writer;
  writer.u32(header.bodyLength).u16(header.metaLength).u8(header.type).u8(header.flags).u32(header.separateCrc);
  const auto start = to.size();
  to.append(writer.bytes()).append(4, '\0').append(meta).append(inlineBody);
  const auto crc = crcAt(segment, offset, writer.bytes(), std::string_view(to).substr(start + HeaderSize));
  Writer sum;
  sum.u32(crc);
  to.replace(start + HeaderSize - 4, 4, sum.bytes());
}

std::optional<Header> parseHeader(std::string_view bytes) {
  if (bytes.size() < HeaderSize) return std::nullopt;
  Reader reader(bytes);
  Header header;
  header.bodyLength = reader.u32();
  header.metaLength = reader.u16();
  header.type = reader.u8();
  header.flags = reader.u8();
  header.separateCrc = reader.u32();
  header.crc = reader.u32();
  if (header.type == 0 || header.flags > SeparateBody) return std::nullopt;
  return header;
}

bool verifies(std::string_view record, std::uint64_t segment, std::uint64_t offset) {
  const auto header = parseHeader(record);
  return header && record.size() == header->size() &&
         header->crc == crcAt(segment, offset, record.substr(0, HeaderSize - 4), record.substr(HeaderSize));
}

std::string readAt(int fd, std::uint64_t offset, std::size_t length, const std::string& path) {
  std::string bytes(length, '\0');
  std::size_t done = 0;
  while (done < length) {
    const auto count = ::pread(fd, bytes.data() + done, length - done, static_cast<off_t>(offset + done));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throwErrno("read", path);
    if (count == 0) break;
    done += static_cast<std::size_t>(count);
  }
  bytes.resize(done);
  return bytes;
}

Cursor::Cursor(const std::filesystem::path& path, std::uint64_t number)
    : path_(path.string()), number_(number), fd_(::open(path_.c_str(), O_RDONLY | O_CLOEXEC)) {
  struct stat facts {};
  if (!fd_ || ::fstat(fd_.get(), &facts) != 0) throwErrno("open", path_);
  size_ = static_cast<std::uint64_t>(facts.st_size);
}

std::string_view Cursor::view(std::uint64_t offset, std::uint64_t length) {
  constexpr std::uint64_t ReadAhead = 1u << 20;
  if (offset < bufferStart_ || offset + length > bufferStart_ + buffer_.size()) {
    const auto wanted = std::min(std::max(length, ReadAhead), size_ - offset);
    buffer_ = readAt(fd_.get(), offset, static_cast<std::size_t>(wanted), path_);
    bufferStart_ = offset;
  }
  return std::string_view(buffer_).substr(static_cast<std::size_t>(offset - bufferStart_),
                                          static_cast<std::size_t>(length));
}

bool Cursor::headerIsGood() {
  return size_ >= FileHeaderSize && view(0, FileHeaderSize) == fileHeader(number_);
}

std::optional<std::uint64_t> Cursor::claimedEnd(std::uint64_t offset) {
  if (offset + HeaderSize > size_) return std::nullopt;
  const auto header = parseHeader(view(offset, HeaderSize));
  if (!header || offset + header->size() > size_) return std::nullopt;
  return offset + header->size();
}

std::optional<std::string_view> Cursor::recordAt(std::uint64_t offset) {
  const auto end = claimedEnd(offset);
  if (!end) return std::nullopt;
  const auto record = view(offset, *end - offset);
  if (record.size() != *end - offset || !verifies(record, number_, offset)) return std::nullopt;
  return record;
}

}  // namespace postern::store::segment
