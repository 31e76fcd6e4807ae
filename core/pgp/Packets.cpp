#include "core/pgp/Packets.h"

namespace postern::pgp {

namespace {

unsigned char byteAt(std::string_view bytes, std::size_t at) {
  return static_cast<unsigned char>(bytes[at]);
}

bool mayComeInParts(PacketTag tag) {
  return tag == PacketTag::Literal || tag == PacketTag::Compressed || tag == PacketTag::Seipd || tag == PacketTag::Sed;
}

constexpr std::size_t LeastFirstPart = 512;

}  // namespace

std::optional<Packet> PacketReader::fail() {
  malformed_ = true;
  rest_ = {};
  return std::nullopt;
}

std::optional<std::string_view> PacketReader::take(std::size_t count) {
  if (count > rest_.size()) return std::nullopt;
  const auto taken = rest_.substr(0, count);
  rest_.remove_prefix(count);
  return taken;
}

std::optional<Packet> PacketReader::next() {
  if (rest_.empty()) return std::nullopt;
  const auto start = rest_;
  const auto first = byteAt(rest_, 0);
  rest_.remove_prefix(1);
  if ((first & 0x80) == 0) return fail();
  Packet packet;
  const bool newFormat = (first & 0x40) != 0;
  packet.tag = static_cast<PacketTag>(newFormat ? first & 0x3f : (first >> 2) & 0x0f);
  if (packet.tag == PacketTag{}) return fail();
  if (!(newFormat ? newLength(packet.tag, packet.body) : oldLength(packet.tag, first & 3, packet.body))) return fail();
  packet.raw = start.substr(0, start.size() - rest_.size());
  return packet;
}

bool PacketReader::newLength(PacketTag tag, std::string_view& body) {
  bool inParts = false;
  for (;;) {
    const auto head = take(1);
    if (!head) return false;
    const std::size_t first = byteAt(*head, 0);
    std::size_t length = first;
    bool last = true;
    if (first >= 224 && first < 255) {
      length = std::size_t(1) << (first & 0x1f);
      last = false;
      if (!mayComeInParts(tag) || (!inParts && length < LeastFirstPart)) return false;
    } else if (first >= 192) {
      const auto more = take(first == 255 ? 4 : 1);
      if (!more) return false;
      length = first == 255 ? 0 : ((first - 192) << 8) + byteAt(*more, 0) + 192;
      if (first == 255)
        for (std::size_t i = 0; i < 4; ++i) length = length << 8 | byteAt(*more, i);
    }
    const auto part = take(length);
    if (!part) return false;
    if (last && !inParts) {
      body = *part;
      return true;
    }
    if (!inParts) joined_.clear();
    inParts = true;
    joined_.append(*part);
    if (last) break;
  }
  body = joined_;
  return true;
}

bool PacketReader::oldLength(PacketTag tag, unsigned kind, std::string_view& body) {
  if (kind == 3) {
    if (tag != PacketTag::Compressed) return false;
    body = rest_;
    rest_ = {};
    return true;
  }
  const auto bytes = take(std::size_t(1) << kind);
  if (!bytes) return false;
  std::size_t length = 0;
  for (std::size_t i = 0; i < bytes->size(); ++i) length = length << 8 | byteAt(*bytes, i);
  const auto whole = take(length);
  if (whole) body = *whole;
  return whole.has_value();
}

std::string packetLength(std::size_t size) {
  const auto byte = [](std::size_t value) { return static_cast<char>(static_cast<unsigned char>(value)); };
  if (size < 192) return {byte(size)};
  if (size < 8384) return {byte(((size - 192) >> 8) + 192), byte(size - 192)};
  return {byte(255), byte(size >> 24), byte(size >> 16), byte(size >> 8), byte(size)};
}

std::string packetHeader(PacketTag tag, std::size_t bodySize) {
  return static_cast<char>(0xc0 | static_cast<unsigned>(tag)) + packetLength(bodySize);
}

std::string packet(PacketTag tag, std::string_view body) {
  return packetHeader(tag, body.size()).append(body);
}

std::string mpi(std::string_view bytes) {
  while (!bytes.empty() && bytes.front() == 0) bytes.remove_prefix(1);
  std::size_t bits = bytes.size() * 8;
  if (!bytes.empty())
    for (auto first = byteAt(bytes, 0); (first & 0x80) == 0; first = static_cast<unsigned char>(first << 1)) --bits;
  return std::string{static_cast<char>(bits >> 8), static_cast<char>(bits & 0xff)}.append(bytes);
}

std::string_view FieldReader::raw(std::size_t count) {
  if (!ok_ || count > rest_.size()) {
    ok_ = false;
    rest_ = {};
    return {};
  }
  const auto taken = rest_.substr(0, count);
  rest_.remove_prefix(count);
  return taken;
}

std::uint32_t FieldReader::number(std::size_t bytes) {
  std::uint32_t value = 0;
  for (const char c : raw(bytes)) value = value << 8 | static_cast<unsigned char>(c);
  return value;
}

std::string_view FieldReader::mpi(std::size_t maxBits) {
  const std::size_t bits = number(2);
  const auto bytes = raw(bits > maxBits ? rest_.size() + 1 : (bits + 7) / 8);
  if (!ok_ || bytes.empty()) return {};
  // Not minimal: two programs could take it for two keys.
  if (byteAt(bytes, 0) >> ((bits + 7) % 8) != 1) {
    raw(rest_.size() + 1);
    return {};
  }
  return bytes;
}

}  // namespace postern::pgp
