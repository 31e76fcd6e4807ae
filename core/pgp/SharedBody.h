#pragma once
#include "core/base/Secret.h"

#include <memory>
#include <string>
#include <string_view>

namespace postern::pgp {

// A message encrypted once, under a session key of its own, for any number of recipients: an integrity protected data
// packet (SEIPD v1, AES-256, RFC 4880 §5.13), not compressed. Each copy on the wire is the caller's header, a head of
// its own (Sealer) and then tail(), the same bytes for all.
// Invariants: 1. Session key and random prefix are used for this plaintext only. 2. Immutable once made.
// Ownership: cheap to copy; the session key is wiped with the last copy. Threads: safe for all.
// Errors: throws Error(Crypto).
class SharedBody {
public:
  static SharedBody encrypt(std::string_view entity);

  const std::string& tail() const;  // the rest of the armor and of the multipart; ends the message

  // What heads need later, after a restart: session key, boundary and first bytes. As secret as the message itself.
  Secret exportKey() const;
  static SharedBody resume(const Secret& exported);  // tail() is empty: it was stored where the copies are

private:
  friend class Sealer;
  struct Content;
  explicit SharedBody(std::shared_ptr<const Content> content) : content_(std::move(content)) {}
  std::shared_ptr<const Content> content_;
};

}  // namespace postern::pgp
