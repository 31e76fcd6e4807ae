#pragma once
#include "core/pgp/RecipientKey.h"
#include "core/pgp/SharedBody.h"

#include <cstddef>
#include <memory>
#include <string>

namespace postern::pgp {

// Makes the part of a PGP/MIME copy (RFC 3156 §4) that belongs to one recipient: MIME headers ("MIME-Version" first,
// then Content-Type …), the version part, and the beginning of the armored message. It holds exactly one PKESK packet
// (version 3) and nothing of any other recipient. The copy on the wire: RFC 5322 header of the caller (no MIME fields)
// + head + body.tail(). RSA recipients get PKCS#1 v1.5, others ECDH (RFC 6637; one ephemeral key per message and
// curve, never used for another message). The armor's checksum is right in every copy.
// Keeps the last `cachedKeys` recipient keys ready (about 3 kB each).
// Errors: throws Error(Crypto), for instance for a key that is none. Threads: safe for all.
class Sealer {
public:
  explicit Sealer(std::size_t cachedKeys = 12000);
  ~Sealer();

  std::string head(const SharedBody& body, const RecipientKey& recipient) const;

private:
  class KeyCache;
  std::unique_ptr<KeyCache> cache_;
};

// Seals a known text to throw-away keys and opens it with librnp, for each form that a copy can have. Run it at
// start. Throws Error(Crypto) if any copy does not open to the same bytes.
void selfTest();

}  // namespace postern::pgp
