#pragma once
#include "core/base/Clock.h"
#include "core/pgp/PublicKey.h"
#include "core/pgp/SecretKey.h"

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace postern::pgp {

struct OpenLimits {
  std::size_t maxMessage = 64u << 20;   // of the message as it came
  std::size_t maxContent = 128u << 20;  // of what is inside, decompressed
};

enum class SignatureState : std::uint8_t {
  None,        // the message is not signed
  Valid,       // by one key, over the whole body, both good at the time
  Invalid,     // the bytes were changed, or the signature is damaged
  UnknownKey,  // none of the given keys made it: nothing is known
  Expired,     // the signature says that it has ended
  KeyExpired,
  KeyRevoked,   // nothing is said of the bytes
  Several,      // more than one signature: whose message it is cannot be said
  Partial,      // something stands beside what is signed
  Unsupported,  // a weak digest, a form that is not known
};
// "none" "valid" "invalid" "unknown-key" "expired" "key-expired" "key-revoked" "several" "partial" "unsupported"
const char* stateName(SignatureState state);

struct SignatureVerdict {
  SignatureState state = SignatureState::None;
  std::string signer;  // primary fingerprint of the key, lower-case hex; empty when unknown
  std::string keyId;   // that the signature names, lower-case hex; may be empty, proves nothing
  TimePoint signedAt{};
  bool oneSigner = false;
  bool wholeBody = false;

  // May be counted as the word of the holder of `signer`.
  bool valid() const { return state == SignatureState::Valid && oneSigner && wholeBody; }
};

struct Opened {
  std::string content;  // a MIME entity (PGP/MIME), or the text (inline)
  bool isEntity = true;
  SignatureVerdict signature;  // of the encrypted packets, or of a multipart/signed that is the whole content
};

// Decrypts a message whose outermost part is PGP/MIME multipart/encrypted or whose whole text is one armored message.
// `message`: header and body. Tries `keys`, verifies by `signers` (the keys that may have signed, as the caller found
// them by the sender's address).
// Nothing is the one refusal, whatever the cause: not for these keys, changed, without integrity protection (SED,
// SEIPD without MDC), anything before or after, compressed twice, too large. Callers must answer all alike: nothing of
// the content was released before all of it was found unchanged.
// Threads: safe for all. Errors: throws Error(Crypto) for a broken installation only.
std::optional<Opened> open(std::string_view message, std::span<const SecretKey> keys,
                           std::span<const PublicKey> signers, TimePoint now, const OpenLimits& limits = {});

// The verdict on a multipart/signed message or entity (application/pgp-signature): None if it is none.
SignatureVerdict verifySigned(std::string_view message, std::span<const PublicKey> signers, TimePoint now);

}  // namespace postern::pgp
