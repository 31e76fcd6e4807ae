#pragma once
#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace postern {

// Writes typed fields as bytes: integers big-endian, strings with a 32-bit length before them.
// The form of every record on disk and every message between our processes.
class Writer {
public:
  Writer& u8(std::uint8_t value);
  Writer& u16(std::uint16_t value);
  Writer& u32(std::uint32_t value);
  Writer& u64(std::uint64_t value);
  Writer& i64(std::int64_t value) { return u64(static_cast<std::uint64_t>(value)); }
  Writer& boolean(bool value) { return u8(value ? 1 : 0); }
  Writer& string(std::string_view value);
  Writer& raw(std::string_view bytes);  // no length before it
  template <class Items, class Fn>
  Writer& list(const Items& items, Fn writeItem) {
    u32(static_cast<std::uint32_t>(items.size()));
    for (const auto& item : items) writeItem(*this, item);
    return *this;
  }

  const std::string& bytes() const& { return bytes_; }
  std::string bytes() && { return std::move(bytes_); }

private:
  std::string bytes_;
};

// Reads what Writer wrote. Does not own the bytes: they must outlive the Reader and every view it returns.
// Errors: throws Error(Malformed) when the bytes end early, a count is larger than what is left or an
// enumeration has no such value.
class Reader {
public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}

  std::uint8_t u8();
  std::uint16_t u16();
  std::uint32_t u32();
  std::uint64_t u64();
  std::int64_t i64() { return static_cast<std::int64_t>(u64()); }
  bool boolean() { return u8() != 0; }
  std::string_view view();
  std::string string() { return std::string(view()); }
  std::string_view raw(std::size_t length);
  // A value of an enum whose enumerators count from 0 to `last`.
  template <class Enum>
  Enum enumeration(Enum last) {
    return static_cast<Enum>(upTo(static_cast<std::uint8_t>(last)));
  }
  template <class Item, class Fn>
  std::vector<Item> list(Fn readItem) {
    std::vector<Item> items;
    const auto count = checkedCount();
    items.reserve(std::min(count, MostReserved));
    for (std::uint32_t i = 0; i < count; ++i) items.push_back(readItem(*this));
    return items;
  }

  bool atEnd() const { return rest_.empty(); }
  std::string_view rest() const { return rest_; }
  void expectEnd() const;

private:
  // A stranger's count must not make us ask for memory that the bytes sent do not pay for.
  static constexpr std::uint32_t MostReserved = 1024;

  std::uint8_t upTo(std::uint8_t last);
  std::uint32_t checkedCount();
  std::string_view rest_;
};

}  // namespace postern
