#include "gateway/deliver/CmsShape.h"

#include <algorithm>

namespace postern::gateway {

namespace {

using namespace std::string_view_literals;

enum Tag : std::uint8_t {
  TagInteger = 0x02,
  TagOctets = 0x04,
  TagOid = 0x06,
  TagSequence = 0x30,
  TagSet = 0x31,
  TagPrimitive0 = 0x80,
  TagConstructed0 = 0xa0,
  TagConstructed1 = 0xa1,
};
constexpr std::uint8_t ConstructedBit = 0x20;

constexpr auto IdEnveloped = "\x2a\x86\x48\x86\xf7\x0d\x01\x07\x03"sv;              // 1.2.840.113549.1.7.3
constexpr auto IdAuthEnveloped = "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x01\x17"sv;  // 1.2.840.113549.1.9.16.1.23
constexpr auto IdData = "\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01"sv;                   // 1.2.840.113549.1.7.1
constexpr auto IdAes = "\x60\x86\x48\x01\x65\x03\x04\x01"sv;                        // 2.16.840.1.101.3.4.1
constexpr std::array<char, 3> CbcModes = {2, 22, 42};
constexpr std::array<char, 3> GcmModes = {6, 26, 46};

// Room for names and an RSA key of 16 kbit; a message does not fit in.
constexpr std::uint32_t MaxOpaque = 4096;

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

}  // namespace

bool CmsShape::fail(const char* why) {
  if (problem_ == nullptr) problem_ = why;
  return false;
}

bool CmsShape::feed(std::string_view base64) {
  if (problem_) return false;
  unsigned char out[3 * 256];
  std::size_t count = 0;
  for (const unsigned char c : base64) {
    if (c == '\r' || c == '\n') continue;
    if (c == '=') {
      if (quantumLength_ + padding_ < 2 || quantumLength_ + ++padding_ > 4) return fail("the base64 padding is wrong");
      continue;
    }
    const auto value = Base64[c];
    if (value == NotBase64) return fail("the body is not base64");
    if (padding_ != 0) return fail("something follows the end of the base64 body");
    quantum_ = quantum_ << 6 | value;
    if (++quantumLength_ < 4) continue;
    out[count++] = static_cast<unsigned char>(quantum_ >> 16);
    out[count++] = static_cast<unsigned char>(quantum_ >> 8);
    out[count++] = static_cast<unsigned char>(quantum_);
    quantum_ = 0;
    quantumLength_ = 0;
    if (count < sizeof out) continue;
    if (!feedBytes(out, count)) return false;
    count = 0;
  }
  return feedBytes(out, count);
}

bool CmsShape::finish() {
  if (problem_) return false;
  if (quantumLength_ != 0) {
    if (quantumLength_ + padding_ != 4) return fail("the base64 body is cut off");
    const auto bits = quantum_ << 6 * padding_;
    const unsigned char last[2] = {static_cast<unsigned char>(bits >> 16), static_cast<unsigned char>(bits >> 8)};
    quantumLength_ = 0;
    if (!feedBytes(last, 3u - padding_)) return false;
  }
  if (!whole_ || phase_ != Phase::Tag) return fail("the CMS object is cut off");
  if (ciphertext_ == 0) return fail("the CMS object holds no content");
  // Half of a ciphertext's bytes have the high bit; text in its place has few.
  if (ciphertext_ >= JudgedCiphertext && (highBits_ * 8 < ciphertext_ * 3 || highBits_ * 8 > ciphertext_ * 5))
    return fail("the content does not look encrypted");
  return true;
}

bool CmsShape::feedBytes(const unsigned char* bytes, std::size_t count) {
  const auto* const end = bytes + count;
  while (bytes != end) {
    if (phase_ == Phase::Primitive) {
      if (!takePrimitive(bytes, end)) return false;
    } else if (!byte(*bytes++)) {
      return false;
    }
  }
  return true;
}

// Takes `count` bytes from every element of known length around the one at hand.
bool CmsShape::consume(std::size_t count) {
  for (std::size_t i = 1; i < depth_; ++i) {
    if (path_[i].left == EndOfContents) continue;
    if (path_[i].left < static_cast<std::int64_t>(count)) return fail("an element is longer than the one around it");
    path_[i].left -= static_cast<std::int64_t>(count);
  }
  return true;
}

bool CmsShape::byte(unsigned char value) {
  if (whole_) return fail("something follows the CMS object");
  if (!consume(1)) return false;
  switch (phase_) {
    case Phase::Tag:
      if ((value & 0x1f) == 0x1f) return fail("an element has a long tag");
      tag_ = value;
      phase_ = Phase::Length;
      return true;
    case Phase::Length:
      if (value < 0x80) {
        length_ = value;
        return startElement();
      }
      lengthBytes_ = value & 0x7f;
      length_ = 0;
      if (lengthBytes_ == 0) {
        length_ = EndOfContents;
        return startElement();
      }
      if (lengthBytes_ > 4) return fail("an element has an impossible length");
      phase_ = Phase::LengthBytes;
      return true;
    case Phase::LengthBytes:
      length_ = length_ << 8 | value;
      if (--lengthBytes_ > 0) return true;
      return startElement();
    case Phase::Primitive:
      return false;
  }
  return false;
}

bool CmsShape::startElement() {
  phase_ = Phase::Tag;
  auto& parent = path_[depth_ - 1];
  if (tag_ == 0) return length_ == 0 ? endOfContents() : fail("an end mark is damaged");
  if (parent.left != EndOfContents && length_ > parent.left) return fail("an element is longer than the one around it");
  if (const char* why = childRole(parent, role_)) return fail(why);
  if (parent.children < 255) ++parent.children;
  if ((tag_ & ConstructedBit) == 0) {
    if (length_ == EndOfContents) return fail("a primitive element has no length");
    oidLength_ = 0;
    phase_ = Phase::Primitive;
    return length_ > 0 || endPrimitive();
  }
  if (role_ == Role::Oid || role_ == Role::Bulk) return fail("an element is constructed that must be primitive");
  if (depth_ == MaxDepth) return fail("the CMS object is nested too deeply");
  path_[depth_++] = Frame{role_, length_, 0, false};
  return closeFinished();
}

bool CmsShape::takePrimitive(const unsigned char*& bytes, const unsigned char* end) {
  const auto count = std::min<std::size_t>(static_cast<std::size_t>(end - bytes), static_cast<std::size_t>(length_));
  if (!consume(count)) return false;
  if (role_ == Role::Oid) {
    if (oidLength_ + count > oid_.size()) return fail("an object identifier is too long");
    std::copy(bytes, bytes + count, oid_.begin() + oidLength_);
    oidLength_ = static_cast<std::uint8_t>(oidLength_ + count);
  } else if (role_ == Role::Bulk) {
    std::uint64_t high = 0;
    for (std::size_t i = 0; i < count; ++i) high += bytes[i] >> 7;
    highBits_ += high;
    ciphertext_ += count;
  } else {
    opaque_ += static_cast<std::uint32_t>(count);
    if (opaque_ > MaxOpaque) return fail("the RecipientInfo is too large");
  }
  bytes += count;
  length_ -= static_cast<std::int64_t>(count);
  return length_ > 0 || endPrimitive();
}

bool CmsShape::endPrimitive() {
  phase_ = Phase::Tag;
  if (role_ == Role::Oid)
    if (const char* why = checkOid()) return fail(why);
  // Equal states after different heads: what was in the last identifier is of no more meaning.
  oid_.fill(0);
  oidLength_ = 0;
  return closeFinished();
}

bool CmsShape::endOfContents() {
  if (depth_ < 2 || path_[depth_ - 1].left != EndOfContents) return fail("an end mark stands in the wrong place");
  const auto frame = path_[--depth_];
  return closeFrame(frame) && closeFinished();
}

// Closes the elements of known length whose last byte was taken.
bool CmsShape::closeFinished() {
  while (depth_ > 1 && path_[depth_ - 1].left == 0) {
    const auto frame = path_[--depth_];
    if (!closeFrame(frame)) return false;
  }
  return true;
}

bool CmsShape::closeFrame(const Frame& frame) {
  const auto children = frame.children;
  path_[depth_] = {};
  switch (frame.role) {
    case Role::ContentInfo:
      whole_ = true;
      return children == 2 || fail("the ContentInfo is incomplete");
    case Role::Explicit:
      return children == 1 || fail("the ContentInfo is empty");
    case Role::Enveloped:
      return children == (kind_ == CmsKind::Enveloped ? 3 : 4) || fail("the enveloped data is incomplete");
    case Role::RecipientInfos:
      opaque_ = 0;
      return children == 1 || fail("there is no RecipientInfo");
    case Role::KeyTrans:
      return children == 4 || fail("the RecipientInfo has a wrong form");
    case Role::KeyAgree:
      return children == (frame.hasMaterial ? 5 : 4) || fail("the RecipientInfo has a wrong form");
    case Role::RecipientKeys:
      return children == 1 || fail("the RecipientInfo serves nobody");
    case Role::RecipientKey:
      return children == 2 || fail("the RecipientInfo has a wrong form");
    case Role::EncryptedContent:
      return children == 3 || fail("the encrypted content is incomplete");
    case Role::Algorithm:
      return children == 2 || fail("the content cipher has a wrong form");
    case Role::Top:
    case Role::Ciphertext:
    case Role::Oid:
    case Role::Bulk:
    case Role::Opaque:
      return true;
  }
  return false;
}

// What the next child of `parent` is; or why it must not be there.
const char* CmsShape::childRole(Frame& parent, Role& role) const {
  const auto number = parent.children;
  role = Role::Opaque;
  switch (parent.role) {
    case Role::Top:
      role = Role::ContentInfo;
      return tag_ == TagSequence ? nullptr : "the body is no CMS object";
    case Role::ContentInfo:
      role = number == 0 ? Role::Oid : Role::Explicit;
      if (number == 0) return tag_ == TagOid ? nullptr : "the ContentInfo has no type";
      return number == 1 && tag_ == TagConstructed0 ? nullptr : "the ContentInfo has a wrong form";
    case Role::Explicit:
      role = Role::Enveloped;
      return number == 0 && tag_ == TagSequence ? nullptr : "the ContentInfo has a wrong form";
    case Role::Enveloped:
      return envelopedChild(number, role);
    case Role::RecipientInfos:
      role = tag_ == TagSequence ? Role::KeyTrans : Role::KeyAgree;
      if (number > 0) return "there is more than one RecipientInfo";
      return tag_ == TagSequence || tag_ == TagConstructed1 ? nullptr
                                                            : "the RecipientInfo has a kind that is not known";
    case Role::KeyAgree:
      return keyAgreeChild(parent, role);
    case Role::RecipientKeys:
      role = Role::RecipientKey;
      return number == 0 && tag_ == TagSequence ? nullptr : "the RecipientInfo serves more than one recipient";
    case Role::EncryptedContent:
      role = number == 0             ? Role::Oid
             : number == 1           ? Role::Algorithm
             : tag_ == TagPrimitive0 ? Role::Bulk
                                     : Role::Ciphertext;
      if (number == 0) return tag_ == TagOid ? nullptr : "the encrypted content has no type";
      if (number == 1) return tag_ == TagSequence ? nullptr : "the encrypted content names no cipher";
      return number == 2 && (tag_ == TagPrimitive0 || tag_ == TagConstructed0)
                 ? nullptr
                 : "the encrypted content has a wrong form";
    case Role::Algorithm:
      if (number > 0) return nullptr;
      role = Role::Oid;
      return tag_ == TagOid ? nullptr : "the encrypted content names no cipher";
    case Role::Ciphertext:
      role = Role::Bulk;
      return tag_ == TagOctets ? nullptr : "the ciphertext has a wrong form";
    case Role::KeyTrans:
    case Role::RecipientKey:
    case Role::Opaque:
      return nullptr;
    case Role::Oid:
    case Role::Bulk:
      return "an element has a wrong form";
  }
  return "an element has a wrong form";
}

const char* CmsShape::envelopedChild(std::uint8_t number, Role& role) const {
  switch (number) {
    case 0:
      return tag_ == TagInteger ? nullptr : "the enveloped data has no version";
    case 1:
      role = Role::RecipientInfos;
      return tag_ == TagSet ? nullptr : "the enveloped data has more than a set of RecipientInfos";
    case 2:
      role = Role::EncryptedContent;
      return tag_ == TagSequence ? nullptr : "the enveloped data holds no encrypted content";
    case 3:
      if (kind_ == CmsKind::AuthEnveloped && tag_ == TagOctets) return nullptr;
      return "the enveloped data has attributes that are not encrypted";
    default:
      return "the enveloped data has attributes that are not encrypted";
  }
}

// [1] { version, [0] originator, [1] user key material OPTIONAL, algorithm, SEQUENCE OF RecipientEncryptedKey }
const char* CmsShape::keyAgreeChild(Frame& parent, Role& role) const {
  const auto number = parent.children;
  if (number == 0 && tag_ == TagInteger) return nullptr;
  if (number == 1 && tag_ == TagConstructed0) return nullptr;
  if (number == 2 && tag_ == TagConstructed1) {
    parent.hasMaterial = true;
    return nullptr;
  }
  const std::uint8_t algorithm = parent.hasMaterial ? 3 : 2;
  if (tag_ != TagSequence || number < algorithm || number > algorithm + 1) return "the RecipientInfo has a wrong form";
  if (number > algorithm) role = Role::RecipientKeys;
  return nullptr;
}

const char* CmsShape::checkOid() {
  const std::string_view oid(reinterpret_cast<const char*>(oid_.data()), oidLength_);
  switch (path_[depth_ - 1].role) {
    case Role::ContentInfo:
      return oid == (kind_ == CmsKind::Enveloped ? IdEnveloped : IdAuthEnveloped)
                 ? nullptr
                 : "the CMS object is not of the announced type";
    case Role::EncryptedContent:
      return oid == IdData ? nullptr : "the encrypted content has a type that is not known";
    case Role::Algorithm: {
      const auto& modes = kind_ == CmsKind::Enveloped ? CbcModes : GcmModes;
      const bool known = oid.size() == IdAes.size() + 1 && oid.starts_with(IdAes) &&
                         std::find(modes.begin(), modes.end(), oid.back()) != modes.end();
      return known ? nullptr : "the content cipher is not AES";
    }
    default:
      return nullptr;
  }
}

}  // namespace postern::gateway
