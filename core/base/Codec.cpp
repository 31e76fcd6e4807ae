#include "core/base/Codec.h"

#include "core/base/Error.h"

namespace postern {

namespace {

template <class Int>
void appendBigEndian(std::string& bytes, Int value) {
  for (int shift = static_cast<int>(sizeof(Int) * 8) - 8; shift >= 0; shift -= 8)
    bytes.push_back(static_cast<char>((value >> shift) & 0xff));
}

template <class Int>
Int readBigEndian(std::string_view bytes) {
  Int value = 0;
  for (const char byte : bytes) value = static_cast<Int>((value << 8) | static_cast<unsigned char>(byte));
  return value;
}

}  // namespace

Writer& Writer::u8(std::uint8_t value) {
  bytes_.push_back(static_cast<char>(value));
  return *this;
}

Writer& Writer::u16(std::uint16_t value) {
  appendBigEndian(bytes_, value);
  return *this;
}

Writer& Writer::u32(std::uint32_t value) {
  appendBigEndian(bytes_, value);
  return *this;
}

Writer& Writer::u64(std::uint64_t value) {
  appendBigEndian(bytes_, value);
  return *this;
}

Writer& Writer::string(std::string_view value) {
  u32(static_cast<std::uint32_t>(value.size()));
  bytes_.append(value);
  return *this;
}

Writer& Writer::raw(std::string_view bytes) {
  bytes_.append(bytes);
  return *this;
}

std::string_view Reader::raw(std::size_t length) {
  if (length > rest_.size()) throw Error(ErrorKind::Malformed, "a record ends before its fields do");
  const auto bytes = rest_.substr(0, length);
  rest_.remove_prefix(length);
  return bytes;
}

std::uint8_t Reader::u8() {
  return static_cast<std::uint8_t>(raw(1)[0]);
}
std::uint16_t Reader::u16() {
  return readBigEndian<std::uint16_t>(raw(2));
}
std::uint32_t Reader::u32() {
  return readBigEndian<std::uint32_t>(raw(4));
}
std::uint64_t Reader::u64() {
  return readBigEndian<std::uint64_t>(raw(8));
}
std::string_view Reader::view() {
  return raw(u32());
}

std::uint8_t Reader::upTo(std::uint8_t last) {
  const auto value = u8();
  if (value > last) throw Error(ErrorKind::Malformed, "a record has an unknown value");
  return value;
}

std::uint32_t Reader::checkedCount() {
  const auto count = u32();
  if (count > rest_.size()) throw Error(ErrorKind::Malformed, "a record counts more items than it holds");
  return count;
}

void Reader::expectEnd() const {
  if (!atEnd()) throw Error(ErrorKind::Malformed, "a record has bytes after its last field");
}

}  // namespace postern
