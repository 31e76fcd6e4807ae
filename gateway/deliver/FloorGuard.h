#pragma once
#include "core/app/GatewayLink.h"
#include "core/base/Mutex.h"
#include "core/base/Result.h"
#include "core/smtp/ClientText.h"
#include "gateway/deliver/CmsShape.h"
#include "gateway/deliver/CopyQueue.h"
#include "gateway/deliver/EnvelopeShape.h"
#include "gateway/deliver/PgpShape.h"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace postern::gateway {

// The walk over the body of a sealed copy, by its protection.
using SealedShape = std::variant<CmsShape, PgpShape>;

// A tail made ready for the wire, shared by the copies of a post: checked and dot-stuffed once, with what the guard
// found out about it. Immutable but for the remembered verdicts. Threads: safe for all.
class OutboundTail {
public:
  // Why it must not be sent, else the tail. REQUIRES: bytes not null.
  static Result<std::shared_ptr<const OutboundTail>, std::string> make(std::shared_ptr<const std::string> bytes);

  const smtp::ClientText& text() const { return text_; }
  std::string_view bytes() const { return *bytes_; }

  // What the walk over the body comes to when it has seen a head; empty: all is well. Remembered, so that the
  // hundred thousandth copy costs a comparison.
  std::string finishShape(const SealedShape& afterHead) const;
  // The same for the file of an envelope mail.
  envelopeshape::Tail envelope(std::string_view ownUrl) const;

private:
  explicit OutboundTail(std::shared_ptr<const std::string> bytes, smtp::ClientText text)
      : bytes_(std::move(bytes)), text_(std::move(text)) {}
  struct Verdict {
    SealedShape state;
    std::string problem;
  };
  static constexpr std::size_t MaxVerdicts = 16;

  const std::shared_ptr<const std::string> bytes_;
  const smtp::ClientText text_;
  mutable Mutex mutex_;
  mutable std::vector<Verdict> verdicts_ GUARDED_BY(mutex_);
  mutable std::optional<envelopeshape::Tail> envelope_ GUARDED_BY(mutex_);
};

// The connection that a copy is about to leave on.
struct HopFacts {
  bool tls = false;
  bool verified = false;  // a trusted chain for a name that is proven to be the recipient's domain's or the route's
  std::string_view ownUrl = {};  // of our web UI: where links of envelope mails must lead
};

// Leave to send one copy on one connection. Only FloorGuard makes it, and sending needs it.
class Clearance {
public:
  Clearance(Clearance&&) = default;
  Clearance& operator=(Clearance&&) = default;

private:
  friend class FloorGuard;
  Clearance() = default;
};

// The last check before bytes leave, whatever decided before: is the copy what it says it is, and does that reach its
// floor? Judges the very bytes that are about to be written. Design §5; docs/decisions on the floor.
//
// Content copies: the protection reaches the floor and is true:
//   smime   a whole message of application/pkcs7-mime whose header says nothing of the post (known fields only, Subject
//           exactly "[...]") and whose body CmsShape accepts: one recipient, nothing readable, nothing after.
//   openpgp the same for a whole message of PGP/MIME multipart/encrypted whose body PgpShape accepts.
//   tls     this very connection has verified TLS.
//   none    only where the floor is none.
//   pickup  an envelope mail exactly as EnvelopeShape knows it: a link to our own site, at most ciphertext beside it.
// Notices and reports (any floor): no tail, Auto-Submitted, small, the known fields only (so none that refers to
// another message), one of the known subjects; mail of the site to people exactly of its shape (SiteMailShape); notices
// are plain text, reports carry no message. Pure. Threads: safe for all.
class FloorGuard {
public:
  static constexpr std::size_t MaxNotice = 16 * 1024;
  static constexpr std::size_t MaxListKeys = 64 * 1024;  // a notice that brings the keys of a list
  static constexpr std::size_t MaxReport = 64 * 1024;
  static constexpr std::size_t MaxSealedHeader = 16 * 1024;

  // Why the copy is blocked, in words for the ledger that name no content. `tail`: null for none.
  static Result<Clearance, std::string> check(app::Copy::Kind kind, app::Protection protection, app::Protection floor,
                                              std::string_view head, const OutboundTail* tail, const HopFacts& hop);
};

}  // namespace postern::gateway
