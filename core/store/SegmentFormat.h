#pragma once
#include "core/base/Files.h"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace postern::store::segment {

// The bytes of a segment file: "PSTNLOG1", its number (64 bits), then records back to back. A record is a header of
// 16 bytes (length of body 32, of meta 16, type 8, flags 8, CRC of a separate body 32, CRC of the record 32; all
// big-endian), meta, and the body unless it lies in a file of its own. Zeros are no record: type 0 does not exist.
constexpr std::string_view Magic = "PSTNLOG1";
constexpr std::uint32_t FileHeaderSize = 16;
constexpr std::uint32_t HeaderSize = 16;
constexpr std::uint8_t SeparateBody = 1;

struct Header {
  std::uint32_t bodyLength = 0;
  std::uint16_t metaLength = 0;
  std::uint8_t type = 0;
  std::uint8_t flags = 0;
  std::uint32_t separateCrc = 0;
  std::uint32_t crc = 0;

  bool separate() const { return (flags & SeparateBody) != 0; }
  std::uint64_t inlineBody() const { return separate() ? 0 : bodyLength; }
  std::uint64_t size() const { return HeaderSize + metaLength + inlineBody(); }
};

std::string fileHeader(std::uint64_t number);
// Appends a whole record as it lies at segment:offset.
void appendRecord(std::string& to, std::uint64_t segment, std::uint64_t offset, Header header, std::string_view meta,
                  std::string_view inlineBody);
std::optional<Header> parseHeader(std::string_view bytes);
// Does the record, header included, carry the right CRC for this place?
bool verifies(std::string_view record, std::uint64_t segment, std::uint64_t offset);

// Reads a segment file front to back through a buffer.
class Cursor {
public:
  // Error(Io) when the file cannot be read.
  Cursor(const std::filesystem::path& path, std::uint64_t number);

  bool headerIsGood();
  // The record at an offset, header included, if there is a good one. The view ends with the next call.
  std::optional<std::string_view> recordAt(std::uint64_t offset);
  // The end of what the header at an offset claims, good or not; nothing when that is no place for a record.
  std::optional<std::uint64_t> claimedEnd(std::uint64_t offset);

private:
  std::string_view view(std::uint64_t offset, std::uint64_t length);
  std::string path_;
  std::uint64_t number_;
  FileDescriptor fd_;
  std::uint64_t size_ = 0;
  std::uint64_t bufferStart_ = 0;
  std::string buffer_;
};

// Reads exactly `length` bytes, fewer only at the end of the file. Error(Io).
std::string readAt(int fd, std::uint64_t offset, std::size_t length, const std::string& path);

}  // namespace postern::store::segment
