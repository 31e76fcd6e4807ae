#pragma once
#include "core/crypto/Digest.h"
#include "core/mail/Header.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace postern::mailauth {

// RFC 6376 §3.4.
enum class Canonical : std::uint8_t { Simple, Relaxed };

// One field as it is hashed, with its CRLF.
std::string canonicalField(std::string_view rawField, Canonical form);

// The fields that a signature names, each time the lowest one that is not taken yet (RFC 6376 §5.4.2); names without a
// field are nothing.
std::string canonicalHeader(const mail::HeaderBlock& header, const std::vector<std::string>& names, Canonical form);

// A signature's own field with its "b" emptied and without the last CRLF.
std::string canonicalSignature(std::string_view rawField, Canonical form);

// SHA-256 over a body in canonical form that comes in pieces; one pass, memory of a few bytes. Threads: one at a time.
class BodyHasher {
public:
  // `limit`: octets of the canonical body that count (l=).
  explicit BodyHasher(Canonical form, std::optional<std::uint64_t> limit = {}) : form_(form), limit_(limit) {}
  void update(std::string_view bytes);
  std::string finish();                         // 32 bytes; use once
  std::uint64_t size() const { return size_; }  // of the whole canonical body, after finish()

private:
  void put(std::string_view bytes);
  void relaxed(std::string_view bytes);
  void endLine();
  void flushLine();

  Canonical form_;
  std::optional<std::uint64_t> limit_;
  crypto::Sha256 hash_;
  std::string out_;  // canonical bytes that wait for the hash
  std::uint64_t size_ = 0;
  std::uint64_t emptyLines_ = 0;  // held back: trailing ones do not count
  bool lineHasBytes_ = false;
  bool blank_ = false;  // held back: blanks at the end of a line do not count
  bool carriage_ = false;
};

std::string bodyHash(std::string_view body, Canonical form);

}  // namespace postern::mailauth
