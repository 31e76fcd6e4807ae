#pragma once
#include "core/crypto/RecipientKey.h"
#include "core/seal/SharedBody.h"

#include <cstddef>
#include <memory>
#include <string>

namespace postern::seal {

// Makes the part of an S/MIME copy that belongs to one recipient: MIME headers ("MIME-Version" first, then
// Content-Type …), an empty line and the first base64 lines, CRLF. It holds exactly one RecipientInfo and nothing of
// any other recipient. The copy on the wire: RFC 5322 header of the caller (no MIME fields) + head + body.tail().
// RSA recipients get KeyTransRecipientInfo (PKCS#1 v1.5, or OAEP where the key says so), EC recipients
// KeyAgreeRecipientInfo (RFC 5753; one ephemeral key per message and curve, never used for another message).
// Keeps the last `cachedKeys` recipient keys ready (about 3 kB each), which saves up to a third of the work.
// Errors: throws Error(Crypto), for instance for a key that is none. Threads: safe for all.
class SmimeSealer {
public:
  explicit SmimeSealer(std::size_t cachedKeys = 12000);
  ~SmimeSealer();

  std::string head(const SharedBody& body, const crypto::RecipientKey& recipient) const;

private:
  class KeyCache;
  std::unique_ptr<KeyCache> cache_;
};

// Seals a known text to throw-away RSA and EC keys and opens it with OpenSSL's own CMS code, for each form that a
// copy can have. Run it at start. Throws Error(Crypto) if any copy does not open to the same bytes.
void selfTest();

}  // namespace postern::seal
