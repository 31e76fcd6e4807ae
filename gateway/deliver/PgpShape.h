#pragma once
#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace postern::gateway {

// Walks the body of a PGP/MIME message (RFC 3156 §4) and judges its shape without any key: the version part and one
// part with one armored message and nothing else, all in the one form that Postern writes; in the armor exactly one
// session key packet (version 3, RSA or ECDH) for one recipient, one integrity protected data packet (SEIPD v1) whose
// content looks encrypted, the right checksum, and nothing after. No comment, no file name of a sender's choice, no
// preamble: there is no place for anything readable.
// Takes the bytes in parts. A copy of it that has taken a head is a value that can be compared: two heads that leave
// the same state get the same verdict for the same tail, so the verdict on a shared tail is worked out once.
// Invariants: 1. Anything that is not understood is a problem. 2. Linear time, no allocation.
// Threads: a value.
class PgpShape {
public:
  // REQUIRES: isBoundary(boundary)
  explicit PgpShape(std::string_view boundary);
  static bool isBoundary(std::string_view text);  // "pgp-" and letters, digits, "-", "_"; at most 70

  // The bytes after the empty line behind the message's header. False as soon as there is a problem.
  bool feed(std::string_view body);
  // Whether all that was fed is one whole and right body; see problem() if not.
  bool finish();
  const char* problem() const { return problem_ ? problem_ : ""; }

  bool operator==(const PgpShape&) const = default;

private:
  enum class Stage : std::uint8_t { Start, Base64, Checksum, End, Done };
  enum class Step : std::uint8_t { Tag, Length, LengthMore, Body };
  enum class Part : std::uint8_t { Pkesk, Data, Nothing };  // the packet at hand

  bool fail(const char* why);
  bool expect(char c);
  bool base64(unsigned char c);
  bool checksum(unsigned char c);
  bool flush();
  bool endData();
  bool packets(const unsigned char* bytes, std::size_t count);
  bool header(unsigned char byte);
  bool lengthByte(unsigned char byte);
  bool startBody();
  bool keyByte(unsigned char byte);
  bool endBody();
  bool takeData(const unsigned char*& bytes, const unsigned char* end);

  std::array<char, 70> boundary_{};
  std::uint8_t boundaryLength_ = 0;
  Stage stage_ = Stage::Start;
  std::uint8_t segment_ = 0;  // of the expected text
  std::uint32_t offset_ = 0;  // in it
  // base64
  std::uint32_t quantum_ = 0;
  std::uint8_t quantumLength_ = 0;
  std::uint8_t padding_ = 0;
  std::uint8_t column_ = 0;  // in the line; its CR counts
  bool cr_ = false;
  std::uint32_t crc_ = 0;
  std::uint32_t givenCrc_ = 0;
  // packets
  Part part_ = Part::Pkesk;
  Step step_ = Step::Tag;
  std::uint8_t lengthLeft_ = 0;  // bytes of a length that are still to come
  std::uint64_t length_ = 0;     // bytes of the body, or of its part at hand, that are still to come
  bool partial_ = false;         // another part follows
  std::uint32_t position_ = 0;   // in the session key packet's body
  std::uint8_t algorithm_ = 0;
  std::uint32_t number_ = 0;  // of its first number: bits, then where it ends
  // how the ciphertext looks
  std::uint64_t ciphertext_ = 0;
  std::uint64_t highBits_ = 0;
  const char* problem_ = nullptr;
};

}  // namespace postern::gateway
