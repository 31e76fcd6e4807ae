#include "gateway/deliver/PgpShape.h"

#include <algorithm>

namespace postern::gateway {

namespace {

using namespace std::string_view_literals;

// The text around the armor. An empty segment stands for the boundary.
constexpr std::array StartText = {
    "--"sv,
    ""sv,
    "\r\nContent-Type: application/pgp-encrypted\r\n\r\nVersion: 1\r\n\r\n--"sv,
    ""sv,
    "\r\nContent-Type: application/octet-stream; name=encrypted.asc\r\n"
    "Content-Disposition: inline; filename=encrypted.asc\r\n\r\n"
    "-----BEGIN PGP MESSAGE-----\r\n\r\n"sv,
};
constexpr std::array EndText = {"-----END PGP MESSAGE-----\r\n\r\n--"sv, ""sv, "--\r\n"sv};

constexpr std::uint8_t MostInLine = 76;
constexpr std::uint8_t PkeskTag = 0xc1;  // both in the new format
constexpr std::uint8_t DataTag = 0xd2;
constexpr std::uint8_t Rsa = 1;
constexpr std::uint8_t RsaEncrypt = 2;
constexpr std::uint8_t Ecdh = 18;
constexpr std::uint32_t KeyNumberAt = 10;  // version, key id, algorithm stand before
constexpr std::uint32_t MaxPkesk = 1100;   // RSA of 8192 bits
constexpr std::uint32_t WrappedKey = 48;   // AES key wrap of a padded 256-bit session key
constexpr std::uint64_t LeastFirstPart = 512;
constexpr std::uint64_t LeastData = 1 + 18 + 22;  // version, random block, digest

// Below this size chance alone could make a ciphertext look like text.
constexpr std::uint64_t JudgedCiphertext = 256;

constexpr std::uint8_t NotBase64 = 0xff;
constexpr auto Base64 = [] {
  std::array<std::uint8_t, 256> table{};
  table.fill(NotBase64);
  constexpr auto alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"sv;
  for (std::size_t i = 0; i < alphabet.size(); ++i)
    table[static_cast<unsigned char>(alphabet[i])] = static_cast<std::uint8_t>(i);
  return table;
}();

// RFC 4880 §6.1
constexpr std::uint32_t CrcStart = 0xb704ce;
constexpr auto CrcTable = [] {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t crc = i << 16;
    for (int bit = 0; bit < 8; ++bit) crc = (crc << 1) ^ ((crc & 0x800000) != 0 ? 0x1864cfbu : 0);
    table[i] = crc & 0xffffff;
  }
  return table;
}();

}  // namespace

bool PgpShape::isBoundary(std::string_view text) {
  return text.size() > 4 && text.size() <= 70 && text.starts_with("pgp-") &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
         });
}

PgpShape::PgpShape(std::string_view boundary)
    : boundaryLength_(static_cast<std::uint8_t>(std::min(boundary.size(), boundary_.size()))), crc_(CrcStart) {
  std::copy_n(boundary.begin(), boundaryLength_, boundary_.begin());
}

bool PgpShape::fail(const char* why) {
  if (problem_ == nullptr) problem_ = why;
  return false;
}

bool PgpShape::feed(std::string_view body) {
  if (problem_) return false;
  for (const char c : body) {
    const auto byte = static_cast<unsigned char>(c);
    switch (stage_) {
      case Stage::Start:
      case Stage::End:
        if (!expect(c)) return false;
        break;
      case Stage::Base64:
        if (!base64(byte)) return false;
        break;
      case Stage::Checksum:
        if (!checksum(byte)) return false;
        break;
      case Stage::Done:
        return fail("something follows the end of the body");
    }
  }
  return true;
}

bool PgpShape::finish() {
  if (problem_) return false;
  if (stage_ != Stage::Done) return fail("the body is cut off");
  return true;
}

// One character of the text that must stand there.
bool PgpShape::expect(char c) {
  const bool start = stage_ == Stage::Start;
  const std::string_view boundary(boundary_.data(), boundaryLength_);
  auto text = start ? StartText[segment_] : EndText[segment_];
  if (text.empty()) text = boundary;
  if (text[offset_] != c)
    return fail(start ? "the body is not the beginning of a PGP/MIME message"
                      : "the end of the message is not of its form");
  if (++offset_ < text.size()) return true;
  offset_ = 0;
  ++segment_;
  if (segment_ < (start ? StartText.size() : EndText.size())) return true;
  segment_ = 0;
  stage_ = start ? Stage::Base64 : Stage::Done;
  return true;
}

bool PgpShape::base64(unsigned char c) {
  if (cr_) {
    cr_ = false;
    column_ = 0;
    return c == '\n' || fail("a line of the armor does not end in CR LF");
  }
  if (c == '\r') {
    cr_ = true;
    return column_ > 0 || fail("the armor has an empty line");
  }
  if (c == '=' && column_ == 0) {
    stage_ = Stage::Checksum;
    return endData();
  }
  if (++column_ > MostInLine) return fail("a line of the armor is too long");
  if (c == '=') {
    if (quantumLength_ + padding_ < 2 || quantumLength_ + ++padding_ > 4) return fail("the base64 padding is wrong");
    return true;
  }
  const auto value = Base64[c];
  if (value == NotBase64) return fail("the armor is not base64");
  if (padding_ != 0) return fail("something follows the end of the armor's content");
  quantum_ = quantum_ << 6 | value;
  return ++quantumLength_ < 4 || flush();
}

bool PgpShape::flush() {
  const unsigned char bytes[3] = {static_cast<unsigned char>(quantum_ >> 16), static_cast<unsigned char>(quantum_ >> 8),
                                  static_cast<unsigned char>(quantum_)};
  quantum_ = 0;
  quantumLength_ = 0;
  return packets(bytes, 3);
}

// The first line that starts with "=": all packets must be there.
bool PgpShape::endData() {
  if (quantumLength_ != 0) {
    if (quantumLength_ + padding_ != 4) return fail("the armor is cut off");
    const auto bits = quantum_ << 6 * padding_;
    const unsigned char last[2] = {static_cast<unsigned char>(bits >> 16), static_cast<unsigned char>(bits >> 8)};
    if ((bits & (padding_ == 1 ? 0xffu : 0xffffu)) != 0) return fail("the armor does not end as base64 does");
    const auto count = 3u - padding_;
    quantum_ = 0;
    quantumLength_ = 0;
    if (!packets(last, count)) return false;
  }
  if (part_ != Part::Nothing) return fail("the OpenPGP message is cut off");
  if (ciphertext_ < LeastData) return fail("the OpenPGP message holds no content");
  // Half of a ciphertext's bytes have the high bit; text in its place has few.
  if (ciphertext_ >= JudgedCiphertext && (highBits_ * 8 < ciphertext_ * 3 || highBits_ * 8 > ciphertext_ * 5))
    return fail("the content does not look encrypted");
  return true;
}

bool PgpShape::checksum(unsigned char c) {
  if (cr_) {
    stage_ = Stage::End;
    return c == '\n' || fail("the checksum of the armor has a wrong form");
  }
  if (column_ == 4) {
    cr_ = true;
    if (c != '\r') return fail("the checksum of the armor has a wrong form");
    return givenCrc_ == crc_ || fail("the checksum of the armor is wrong");
  }
  const auto value = Base64[c];
  if (value == NotBase64) return fail("the checksum of the armor has a wrong form");
  givenCrc_ = givenCrc_ << 6 | value;
  ++column_;
  return true;
}

bool PgpShape::packets(const unsigned char* bytes, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) crc_ = ((crc_ << 8) ^ CrcTable[((crc_ >> 16) ^ bytes[i]) & 0xff]) & 0xffffff;
  const auto* const end = bytes + count;
  while (bytes != end) {
    if (step_ != Step::Body) {
      if (!header(*bytes++)) return false;
    } else if (part_ == Part::Data) {
      if (!takeData(bytes, end)) return false;
    } else {
      if (!keyByte(*bytes++)) return false;
    }
  }
  return true;
}

bool PgpShape::header(unsigned char byte) {
  if (part_ == Part::Nothing) return fail("something follows the encrypted data");
  if (step_ != Step::Tag) return lengthByte(byte);
  if (byte == PkeskTag && part_ == Part::Data) return fail("there is more than one session key packet");
  if (byte != (part_ == Part::Pkesk ? PkeskTag : DataTag))
    return fail(part_ == Part::Pkesk ? "the message does not begin with a session key packet"
                                     : "the session key packet is not followed by integrity protected data");
  step_ = Step::Length;
  return true;
}

// RFC 4880 §4.2.2
bool PgpShape::lengthByte(unsigned char byte) {
  if (step_ == Step::LengthMore) {
    length_ = length_ << 8 | byte;
    if (--lengthLeft_ > 0) return true;
    if (position_ == 1) length_ += 192;  // the form of two bytes
    return startBody();
  }
  partial_ = byte >= 224 && byte < 255;
  position_ = 0;
  if (partial_) {
    length_ = std::uint64_t(1) << (byte & 0x1f);
    if (part_ == Part::Pkesk) return fail("the session key packet comes in parts");
    if (ciphertext_ == 0 && length_ < LeastFirstPart) return fail("the first part of the data is too small");
    return startBody();
  }
  length_ = byte;
  if (byte < 192) return startBody();
  step_ = Step::LengthMore;
  lengthLeft_ = byte == 255 ? 4 : 1;
  position_ = byte == 255 ? 0 : 1;
  length_ = byte == 255 ? 0 : byte - 192u;
  return true;
}

bool PgpShape::startBody() {
  step_ = Step::Body;
  position_ = 0;
  number_ = 0;
  if (part_ == Part::Pkesk)
    return (length_ > KeyNumberAt + 2 && length_ <= MaxPkesk) || fail("the session key packet has a wrong size");
  return length_ > 0 || endBody();
}

// Version 3, key id (8), algorithm, then one number (RSA) or a point and the wrapped key with its length (ECDH), and
// not a byte more.
bool PgpShape::keyByte(unsigned char byte) {
  const auto at = position_++;
  if (at == 0 && byte != 3) return fail("the session key packet is not of version 3");
  if (at == KeyNumberAt - 1) {
    algorithm_ = byte;
    if (byte != Rsa && byte != RsaEncrypt && byte != Ecdh) return fail("the session key is wrapped in an unknown way");
  }
  if (at == KeyNumberAt) number_ = byte;
  if (at == KeyNumberAt + 1) {
    number_ = KeyNumberAt + 2 + ((number_ << 8 | byte) + 7) / 8;
    const auto rest = algorithm_ == Ecdh ? 1 + WrappedKey : 0;
    if (number_ + rest != position_ + (length_ - 1))
      return fail("the session key packet holds more than a session key");
  }
  if (algorithm_ == Ecdh && at > KeyNumberAt + 1 && at == number_ && byte != WrappedKey)
    return fail("the session key packet has a wrong form");
  return --length_ > 0 || endBody();
}

bool PgpShape::endBody() {
  step_ = partial_ ? Step::Length : Step::Tag;
  // Equal states after different heads: what was in the session key packet is of no more meaning.
  position_ = 0;
  number_ = 0;
  algorithm_ = 0;
  if (partial_) return true;
  part_ = part_ == Part::Pkesk ? Part::Data : Part::Nothing;
  return true;
}

bool PgpShape::takeData(const unsigned char*& bytes, const unsigned char* end) {
  const auto count = std::min<std::uint64_t>(static_cast<std::uint64_t>(end - bytes), length_);
  if (ciphertext_ == 0 && *bytes != 1) return fail("the encrypted data is not of version 1");
  for (std::uint64_t i = 0; i < count; ++i) highBits_ += bytes[i] >> 7;
  ciphertext_ += count;
  bytes += count;
  length_ -= count;
  return length_ > 0 || endBody();
}

}  // namespace postern::gateway
