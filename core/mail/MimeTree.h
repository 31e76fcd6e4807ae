#pragma once
#include "core/base/Result.h"
#include "core/mail/Message.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace postern::mail {

// A reason why two readers may see two different messages. A message with one is refused, not repaired.
enum class Ambiguity : std::uint8_t {
  BareCr,
  BareLf,
  Nul,
  BrokenHeader,  // a line without colon, a bad name, a stray or blank fold, a blank before the colon
  DuplicateFrom,
  DuplicateField,          // Sender, Reply-To, To, Cc, Subject, Date, Message-ID and others that may stand once
  DuplicateContentHeader,  // Content-Type, -Transfer-Encoding, -Disposition, MIME-Version; in any part
  MultipleFrom,            // one From with more than one mailbox
  NoFrom,                  // none, or one without an address
  ConflictingEncoding,     // a multipart with an encoding other than 7bit, 8bit, binary; an unknown encoding
  BadContentType,          // not "type/subtype" of known characters
  OtherSubject,            // a part has a Subject of its own: readers of RFC 9788 show that one (see MimeScan)
  DuplicateParameter,      // boundary, charset, name or filename given twice
  BadBoundary,             // a multipart without boundary, with an empty or over-long one
  UnclosedMultipart,       // its closing boundary is missing
  NestedBoundary,          // an inner boundary is the outer one or starts with it
  TooDeep,
  TooManyParts,
};
const char* ambiguityText(Ambiguity ambiguity);

struct MimeLimits {
  std::size_t maxParts = 10'000;
  std::size_t maxDepth = 50;
  std::size_t maxTextPerPart = 256u << 10;  // octets of decoded text that are kept
  std::size_t maxTextInAll = 4u << 20;
  bool keepContent = false;  // of leaves: for handing parts out
};

// One part, containers too, in the order of the message.
struct MimePart {
  static constexpr std::size_t None = static_cast<std::size_t>(-1);

  std::string type;         // lower case: "text/plain"; what applies by default if the part does not say
  std::string filename;     // decoded (RFC 2231 and 2047), without any folder; empty if none
  std::string disposition;  // lower case: "attachment", "inline" or empty
  std::string charset;      // lower case, as declared
  std::string encoding;     // lower case, as declared: "base64"
  std::size_t parent = None;
  std::size_t depth = 0;
  std::uint64_t size = 0;  // octets of decoded content; 0 for containers
  std::string text;        // text parts and delivery reports only: valid UTF-8, cut at the limits
  bool textTruncated = false;
  std::string content;  // decoded, whole; only when it was asked for
};

// The structure of a message, read by gmime behind our own checks. Immutable; safe for all threads.
// gmime repairs silently, so look at ambiguities() before believing the parts. Where the structure itself is in doubt,
// gmime is not asked: the one part is then an application/octet-stream.
class MimeTree {
public:
  static MimeTree parse(const Message& message, const MimeLimits& limits = {});

  const std::vector<MimePart>& parts() const { return parts_; }  // never empty; the first is the message itself
  const std::vector<Ambiguity>& ambiguities() const { return ambiguities_; }  // each once
  bool has(Ambiguity ambiguity) const;

  // The message as a whole, that is: its outermost part. A signed part within a foreign multipart does not count.
  bool isEncrypted() const;  // S/MIME enveloped or authEnveloped, multipart/encrypted, inline PGP message
  bool isSigned() const;     // multipart/signed, S/MIME signed-data

private:
  MimeTree() = default;
  friend class MimeReader;
  std::vector<MimePart> parts_;
  std::vector<Ambiguity> ambiguities_;
  bool encrypted_ = false;
  bool signed_ = false;
};

}  // namespace postern::mail
