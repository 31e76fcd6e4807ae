#pragma once
#include "core/base/Clock.h"
#include "core/pgp/SecretKey.h"

#include <string>
#include <string_view>

namespace postern::pgp {

// Signs a MIME entity once for all copies: multipart/signed (RFC 3156 §5) with a detached OpenPGP signature by
// SHA-512. Ownership: keeps the key. Threads: safe for all.
class Signer {
public:
  explicit Signer(SecretKey key) : key_(std::move(key)) {}

  // `entity`: headers (Content-Type … and protected ones, RFC 9788), empty line, body; every line end is CRLF.
  // The result is an entity again, "Content-Type: multipart/signed" first, no MIME-Version.
  // Errors: throws Error(Malformed) for a bare CR or LF, Error(Crypto) for a key that is expired or revoked.
  std::string sign(std::string_view entity, TimePoint now) const;

  // The detached signature alone, armored.
  std::string signDetached(std::string_view bytes, TimePoint now) const;

private:
  SecretKey key_;
};

}  // namespace postern::pgp
