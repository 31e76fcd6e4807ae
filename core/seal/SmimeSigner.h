#pragma once
#include "core/base/Clock.h"
#include "core/crypto/SigningIdentity.h"

#include <string>
#include <string_view>

namespace postern::seal {

// Signs a MIME entity once for all copies: multipart/signed (RFC 8551 §3.5.3) with a detached CMS signature by
// SHA-256, certificate and the
// intermediate ones of its CA included. Ownership: keeps the identity. Threads: safe for all.
class SmimeSigner {
public:
  explicit SmimeSigner(crypto::SigningIdentity identity) : identity_(std::move(identity)) {}

  // `entity`: headers (Content-Type … and protected ones, RFC 9788), empty line, body; every line end is CRLF.
  // The result is an entity again, "Content-Type: multipart/signed" first, no MIME-Version.
  // Errors: throws Error(Malformed) for a bare CR or LF, since no two programs agree on what was signed then.
  std::string sign(std::string_view entity, TimePoint now) const;

private:
  crypto::SigningIdentity identity_;
};

}  // namespace postern::seal
