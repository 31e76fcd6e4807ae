#pragma once
#include "core/base/Secret.h"
#include "core/crypto/Certificate.h"

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace postern::seal {

// Cbc: EnvelopedData with AES-256-CBC, which every program reads; sign inside, since it is malleable (EFAIL).
// Gcm: AuthEnvelopedData with AES-256-GCM (RFC 5083/5084), for recipients known to read it.
enum class ContentCipher : std::uint8_t { Cbc = 1, Gcm = 2 };

// A message encrypted once, under a content key of its own, for any number of recipients. Each copy on the wire is
// the caller's header, a head of its own (SmimeSealer) and then tail(), the same bytes for all.
// Invariants: 1. Content key and IV are used for this plaintext only. 2. Immutable once made.
// Ownership: cheap to copy; the content key is wiped with the last copy. Threads: safe for all.
// Errors: throws Error(Crypto).
class SharedBody {
public:
  static SharedBody encrypt(std::string_view entity, ContentCipher cipher = ContentCipher::Cbc);

  ContentCipher cipher() const;
  const std::string& tail() const;  // base64 lines with CRLF; ends the message

  // What heads need later, after a restart: content key, IV and first bytes. As secret as the message itself.
  Secret exportKey() const;
  static SharedBody resume(const Secret& exported);  // tail() is empty: it was stored where the copies are

private:
  friend class SmimeSealer;
  struct Content;
  explicit SharedBody(std::shared_ptr<const Content> content) : content_(std::move(content)) {}
  std::shared_ptr<const Content> content_;
};

}  // namespace postern::seal
