#include "core/crypto/Encoding.h"

#include "core/crypto/OpenSsl.h"

#include <algorithm>
#include <array>
#include <cstdint>

namespace postern::crypto {

namespace {

constexpr std::string_view Base64Digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view Base32Digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
constexpr std::string_view HexDigits = "0123456789abcdef";
constexpr std::size_t LineBytes = 57;  // 76 characters, RFC 2045 §6.8

using DigitTable = std::array<std::int8_t, 256>;

constexpr DigitTable tableOf(std::string_view digits) {
  DigitTable table{};
  table.fill(-1);
  for (std::size_t i = 0; i < digits.size(); ++i)
    table[static_cast<unsigned char>(digits[i])] = static_cast<std::int8_t>(i);
  return table;
}

constexpr DigitTable Base64Table = tableOf(Base64Digits);
constexpr DigitTable Base32Table = tableOf(Base32Digits);

bool isBlank(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

// Collects digits of `width` bits into bytes; the bits left over must be zero, so that each value has one text.
class BitCollector {
public:
  explicit BitCollector(unsigned width) : width_(width) {}
  void add(int digit) {
    bits_ = (bits_ << width_) | static_cast<std::uint32_t>(digit);
    count_ += width_;
    if (count_ < 8) return;
    count_ -= 8;
    bytes_.push_back(static_cast<char>((bits_ >> count_) & 0xff));
    bits_ &= (1u << count_) - 1;
  }
  std::optional<std::string> finish() {
    if (count_ >= width_ || bits_ != 0) return std::nullopt;
    return std::move(bytes_);
  }
  void reserve(std::size_t size) { bytes_.reserve(size); }

private:
  unsigned width_;
  std::uint32_t bits_ = 0;
  unsigned count_ = 0;
  std::string bytes_;
};

}  // namespace

std::string base64(std::string_view bytes) {
  std::string text((bytes.size() + 2) / 3 * 4 + 1, '\0');  // EVP_EncodeBlock writes a NUL behind
  const int length = EVP_EncodeBlock(bytesOf(text), bytesOf(bytes), static_cast<int>(bytes.size()));
  text.resize(static_cast<std::size_t>(length));
  return text;
}

std::string base64Lines(std::string_view bytes) {
  const std::size_t lines = (bytes.size() + LineBytes - 1) / LineBytes;
  std::string text((bytes.size() + 2) / 3 * 4 + lines * 2 + 1, '\0');
  std::size_t at = 0;
  for (std::size_t done = 0; done < bytes.size(); done += LineBytes) {
    const auto line = bytes.substr(done, LineBytes);
    at += static_cast<std::size_t>(EVP_EncodeBlock(bytesOf(text) + at, bytesOf(line), static_cast<int>(line.size())));
    text[at++] = '\r';
    text[at++] = '\n';
  }
  text.resize(at);
  return text;
}

std::optional<std::string> fromBase64(std::string_view text) {
  BitCollector bits(6);
  bits.reserve(text.size() / 4 * 3);
  std::size_t digits = 0;
  std::size_t padding = 0;
  for (const char c : text) {
    if (isBlank(c)) continue;
    if (c == '=') {
      ++padding;
      continue;
    }
    const int digit = Base64Table[static_cast<unsigned char>(c)];
    if (digit < 0 || padding > 0) return std::nullopt;
    bits.add(digit);
    ++digits;
  }
  if (padding > 2 || (digits + padding) % 4 != 0) return std::nullopt;
  return bits.finish();
}

std::string base64Url(std::string_view bytes) {
  auto text = base64(bytes);
  text.erase(std::min(text.find('='), text.size()));
  std::replace(text.begin(), text.end(), '+', '-');
  std::replace(text.begin(), text.end(), '/', '_');
  return text;
}

std::optional<std::string> fromBase64Url(std::string_view text) {
  BitCollector bits(6);
  for (const char c : text) {
    if (c == '+' || c == '/') return std::nullopt;
    const int digit = Base64Table[static_cast<unsigned char>(c == '-' ? '+' : c == '_' ? '/' : c)];
    if (digit < 0) return std::nullopt;
    bits.add(digit);
  }
  return bits.finish();
}

std::string hex(std::string_view bytes) {
  std::string text;
  text.reserve(bytes.size() * 2);
  for (const char byte : bytes) {
    const auto value = static_cast<unsigned char>(byte);
    text.push_back(HexDigits[value >> 4]);
    text.push_back(HexDigits[value & 15]);
  }
  return text;
}

std::optional<std::string> fromHex(std::string_view text) {
  if (text.size() % 2 != 0) return std::nullopt;
  std::string bytes;
  bytes.reserve(text.size() / 2);
  const auto digit = [](char c) {
    const char lower = (c >= 'A' && c <= 'F') ? static_cast<char>(c + 32) : c;
    return HexDigits.find(lower);
  };
  for (std::size_t i = 0; i < text.size(); i += 2) {
    const auto high = digit(text[i]);
    const auto low = digit(text[i + 1]);
    if (high == std::string_view::npos || low == std::string_view::npos) return std::nullopt;
    bytes.push_back(static_cast<char>(high << 4 | low));
  }
  return bytes;
}

std::string base32(std::string_view bytes) {
  std::string text;
  std::uint32_t bits = 0;
  unsigned count = 0;
  for (const char byte : bytes) {
    bits = (bits << 8) | static_cast<unsigned char>(byte);
    for (count += 8; count >= 5; count -= 5) text.push_back(Base32Digits[(bits >> (count - 5)) & 31]);
    bits &= (1u << count) - 1;
  }
  if (count > 0) text.push_back(Base32Digits[(bits << (5 - count)) & 31]);
  return text;
}

std::optional<std::string> fromBase32(std::string_view text) {
  while (text.ends_with('=')) text.remove_suffix(1);
  BitCollector bits(5);
  for (const char c : text) {
    const char upper = (c >= 'a' && c <= 'z') ? static_cast<char>(c - 32) : c;
    const int digit = Base32Table[static_cast<unsigned char>(upper)];
    if (digit < 0) return std::nullopt;
    bits.add(digit);
  }
  return bits.finish();
}

}  // namespace postern::crypto
