#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

// The little of DER (X.690) that is needed to look at a certificate before OpenSSL computes with it and to write the
// heads of CMS messages.
namespace postern::crypto::der {

constexpr std::uint8_t Boolean = 0x01;
constexpr std::uint8_t Integer = 0x02;
constexpr std::uint8_t BitString = 0x03;
constexpr std::uint8_t OctetString = 0x04;
constexpr std::uint8_t ObjectId = 0x06;
constexpr std::uint8_t Sequence = 0x30;
constexpr std::uint8_t Set = 0x31;

struct Item {
  std::uint8_t tag = 0;
  std::string_view content;
  std::string_view whole;  // with tag and length
};

// Walks the items of one level. Does not own the bytes.
class Reader {
public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}
  bool atEnd() const { return rest_.empty(); }

  // Nothing at the end and for anything but a short tag and a definite, minimal length that fits.
  std::optional<Item> next();
  std::optional<Item> next(std::uint8_t tag);    // only if the next item has this tag
  std::optional<Item> nextIf(std::uint8_t tag);  // the same; an item with another tag stays

private:
  std::string_view rest_;
};

// The only item of `bytes`, with this tag.
std::optional<Item> single(std::string_view bytes, std::uint8_t tag);

std::string item(std::uint8_t tag, std::string_view content);
void appendLength(std::string& out, std::size_t length);

}  // namespace postern::crypto::der
