#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace postern::pgp {

// RFC 4880 §4.3
enum class PacketTag : std::uint8_t {
  Pkesk = 1,
  Signature = 2,
  Skesk = 3,
  OnePass = 4,
  SecretKey = 5,
  PublicKey = 6,
  SecretSubkey = 7,
  Compressed = 8,
  Sed = 9,
  Marker = 10,
  Literal = 11,
  Trust = 12,
  UserId = 13,
  PublicSubkey = 14,
  UserAttribute = 17,
  Seipd = 18,
  Padding = 21,
};

struct Packet {
  PacketTag tag{};
  std::string_view body;  // into the bytes read, or into PacketReader's own for a body in parts
  std::string_view raw;   // header and body as they stand
};

// Takes packets one after the other, both header formats (RFC 4880 §4.2). Bodies in parts (partial lengths) are joined
// for the data packets that may have them; an indeterminate length is taken for compressed data only, where old
// programs write it. Does not own the bytes. Linear.
class PacketReader {
public:
  explicit PacketReader(std::string_view bytes) : rest_(bytes) {}

  // Nothing at the end and for bytes that are no packet; malformed() tells which. A joined body lives until the next
  // call.
  std::optional<Packet> next();
  bool malformed() const { return malformed_; }
  bool atEnd() const { return rest_.empty() && !malformed_; }

private:
  std::optional<Packet> fail();
  std::optional<std::string_view> take(std::size_t count);
  bool newLength(PacketTag tag, std::string_view& body);
  bool oldLength(PacketTag tag, unsigned kind, std::string_view& body);

  std::string_view rest_;
  std::string joined_;
  bool malformed_ = false;
};

// Header of the new format with a definite length, and that header with the body.
std::string packetHeader(PacketTag tag, std::size_t bodySize);
std::string packet(PacketTag tag, std::string_view body);
std::string packetLength(std::size_t bodySize);

// Big-endian number with its length in bits before it (RFC 4880 §3.2). `bytes` may have leading zeros.
std::string mpi(std::string_view bytes);

// Takes fields from the front of a packet's body. Once something was missing, ok() is false and all that is taken
// after it is empty.
class FieldReader {
public:
  explicit FieldReader(std::string_view bytes) : rest_(bytes) {}
  std::uint32_t number(std::size_t bytes);
  std::string_view raw(std::size_t count);
  std::string_view mpi(std::size_t maxBits);  // without leading zeros; not ok() if longer or not minimal
  bool ok() const { return ok_; }
  bool atEnd() const { return rest_.empty(); }
  std::string_view rest() const { return rest_; }

private:
  std::string_view rest_;
  bool ok_ = true;
};

}  // namespace postern::pgp
