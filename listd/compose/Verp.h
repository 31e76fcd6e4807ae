#pragma once
#include "core/base/Secret.h"
#include "core/mail/Address.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace postern::listd {

// Envelope senders that name the copy: list-bounces+TAG@domain. TAG is 24 characters of base32: 7 octets of
// HMAC-SHA256 over list and copy key, then the copy key hidden by a second HMAC keyed by the first (as in SIV), so
// that nobody without the site's key can make a tag, and a tag tells neither order nor number of members.
// REQUIRES a key of at least 16 octets. Immutable; safe for all threads.
class Verp {
public:
  static constexpr std::size_t TagLength = 24;

  explicit Verp(Secret key);

  mail::Address make(const mail::Address& list, std::uint64_t copyKey) const;

  // The copy key of an address that make() gave for this list, in any letter case; nothing for any other address.
  std::optional<std::uint64_t> verify(const mail::Address& list, const mail::Address& bounceAddress) const;

private:
  std::string authenticate(const mail::Address& list, std::uint64_t copyKey) const;
  std::uint64_t mask(std::string_view tagMac) const;
  Secret key_;
};

// Whether DMARC takes both for one organisation (RFC 7489 §3.1, relaxed) without asking which names are public: they
// are equal, or one is below the other.
bool alignedDomains(std::string_view one, std::string_view other);

}  // namespace postern::listd
