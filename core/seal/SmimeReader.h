#pragma once
#include "core/base/Clock.h"
#include "core/crypto/Certificate.h"
#include "core/crypto/SigningIdentity.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace postern::seal {

// Opens a message whose outermost part is application/pkcs7-mime with EnvelopedData or AuthEnvelopedData for the
// identity's certificate, and gives the MIME entity in it. `message`: header and body, CRLF.
// Nothing is the one refusal, whatever the cause: not for this key, changed, no such form, a part beside it. Callers
// answer all alike. CBC content can be changed unseen (EFAIL), so the entity counts for nothing until a signature over
// the whole of it has been found good.
// Threads: safe for all. Errors: throws Error(Crypto) for a broken installation only.
std::optional<std::string> openSmime(std::string_view message, const crypto::SigningIdentity& recipient);

enum class SignatureFault : std::uint8_t {
  NotSigned,    // no multipart/signed with a CMS signature, no opaque signed-data
  Several,      // not exactly one signer: whose message it is cannot be said
  Partial,      // something stands beside what is signed, or in it and beside it
  Unsupported,  // a weak digest, a form that is not known, too large, no certificate of the signer
  Invalid,      // the bytes were changed, or the signature is damaged
};
const char* faultName(SignatureFault fault);  // "not-signed" "several" "partial" "unsupported" "invalid"

// A good signature by the holder of `signer` over the whole of the message's content. Who that is, is not judged here.
struct SignedContent {
  crypto::Certificate signer;
  std::string entity;                 // the MIME entity that was signed
  std::optional<TimePoint> signedAt;  // as the signer says
  // What stands beside the entity, which nobody signed (the outer header, a preamble, the wrapping of the signature),
  // is text. In what was encrypted with CBC anything else is the mark of a change.
  bool textBeside = true;
};

// Verifies a message whose outermost part is multipart/signed (RFC 8551 §3.5.3) or application/pkcs7-mime with
// signed-data (§3.5.2). Signed parts within something else are not looked at.
Result<SignedContent, SignatureFault> verifySmime(std::string_view message);

}  // namespace postern::seal
