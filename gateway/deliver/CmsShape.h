#pragma once
#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace postern::gateway {

enum class CmsKind : std::uint8_t { Enveloped, AuthEnveloped };

// Walks the base64 body of an S/MIME message and judges its shape without any key: one ContentInfo with EnvelopedData
// (RFC 5652 §6) or AuthEnvelopedData (RFC 5083), AES, exactly one RecipientInfo that serves exactly one recipient, no
// part that could hold anything readable (certificates, attributes), a content that looks encrypted, and nothing after.
// Takes the bytes in parts. A copy of it that has taken a head is a value that can be compared: two heads that leave
// the same state get the same verdict for the same tail, so the verdict on a shared tail is worked out once.
// Invariants: 1. Anything that is not understood is a problem. 2. Linear time, no allocation.
// Threads: a value.
class CmsShape {
public:
  explicit CmsShape(CmsKind kind) : kind_(kind) { path_.front() = Frame{Role::Top, EndOfContents, 0, false}; }

  // False once there is a problem.
  bool feed(std::string_view base64);
  // Whether all that was fed is one whole and right object; see problem() if not.
  bool finish();
  const char* problem() const { return problem_ ? problem_ : ""; }

  bool operator==(const CmsShape&) const = default;

private:
  enum class Role : std::uint8_t {
    Top,
    ContentInfo,
    Explicit,
    Enveloped,
    RecipientInfos,
    KeyTrans,
    KeyAgree,
    RecipientKeys,
    RecipientKey,
    EncryptedContent,
    Algorithm,
    Ciphertext,
    Oid,
    Bulk,
    Opaque,
  };
  enum class Phase : std::uint8_t { Tag, Length, LengthBytes, Primitive };
  static constexpr std::int64_t EndOfContents = -1;  // indefinite length
  static constexpr std::size_t MaxDepth = 16;
  struct Frame {
    Role role = Role::Opaque;
    std::int64_t left = 0;  // bytes of the value that are still to come
    std::uint8_t children = 0;
    bool hasMaterial = false;  // of a KeyAgree: its user key material was there
    bool operator==(const Frame&) const = default;
  };

  bool fail(const char* why);
  bool feedBytes(const unsigned char* bytes, std::size_t count);
  bool byte(unsigned char value);
  bool takePrimitive(const unsigned char*& bytes, const unsigned char* end);
  bool startElement();
  bool endPrimitive();
  bool endOfContents();
  bool closeFinished();
  bool closeFrame(const Frame& frame);
  bool consume(std::size_t count);
  const char* childRole(Frame& parent, Role& role) const;
  const char* envelopedChild(std::uint8_t number, Role& role) const;
  const char* keyAgreeChild(Frame& parent, Role& role) const;
  const char* checkOid();

  CmsKind kind_;
  // base64
  std::uint32_t quantum_ = 0;
  std::uint8_t quantumLength_ = 0;
  std::uint8_t padding_ = 0;
  // the element at hand
  Phase phase_ = Phase::Tag;
  std::uint8_t tag_ = 0;
  std::uint8_t lengthBytes_ = 0;
  std::int64_t length_ = 0;
  Role role_ = Role::Top;
  std::array<unsigned char, 16> oid_{};
  std::uint8_t oidLength_ = 0;
  // the elements around it
  std::array<Frame, MaxDepth> path_{};
  std::uint8_t depth_ = 1;
  std::uint32_t opaque_ = 0;  // bytes of RecipientInfo that are not looked into
  // how the ciphertext looks
  std::uint64_t ciphertext_ = 0;
  std::uint64_t highBits_ = 0;
  bool whole_ = false;
  const char* problem_ = nullptr;
};

}  // namespace postern::gateway
