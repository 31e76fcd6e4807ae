#pragma once
#include "core/base/Clock.h"
#include "core/base/Result.h"
#include "core/crypto/Certificate.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace postern::crypto {

enum class RevocationState : std::uint8_t { Good, Revoked, Unknown };

// What an issuer says of a certificate of its own.
struct RevocationAnswer {
  RevocationState state = RevocationState::Unknown;
  std::string detail;    // a sentence for the administrator; empty when good
  TimePoint freshUntil;  // of Good and Revoked: when to ask again
};

// Where a certificate says that its issuer answers: http and https only, a few of each, ldap and others are left out.
struct RevocationSources {
  std::vector<std::string> lists;
  std::vector<std::string> responders;
};
RevocationSources revocationSources(const Certificate& certificate);

// The certificate with the authorities above it, the trusted root last. Empty: it does not lead to one.
std::vector<Certificate> trustChain(const Certificate& certificate, TimePoint now, const TrustStore& trust);

// A certificate revocation list (RFC 5280 §5 and 6.3) that its issuer signed and that is in date. Only complete lists
// by the issuer of the certificates themselves count: no delta, no indirect, no list of some reasons. Invariant:
// immutable. Threads: safe for all. Cheap to copy.
class RevocationList {
public:
  static constexpr std::size_t MaxBytes = 8u << 20;
  static constexpr int MaxEntries = 200'000;

  // PEM or DER that was fetched from `url`. A list for another place is refused: who sits on the network could give the
  // list of other certificates of the same issuer.
  static Result<RevocationList, std::string> parse(std::string_view bytes, const Certificate& issuer,
                                                   std::string_view url, TimePoint now);
  RevocationAnswer find(const Certificate& certificate) const;
  TimePoint freshUntil() const { return freshUntil_; }

private:
  std::shared_ptr<X509_CRL> list_;
  TimePoint freshUntil_;
  bool forUsers_ = true;
  bool forAuthorities_ = true;
};

// OCSP (RFC 6960), for one certificate.
class OcspQuestion {
public:
  static constexpr std::size_t MaxAnswerBytes = 64 * 1024;

  OcspQuestion(Certificate certificate, Certificate issuer);
  const std::string& der() const { return der_; }
  // An answer that the issuer, or a responder that it named for this alone, did not sign says nothing.
  RevocationAnswer read(std::string_view bytes, TimePoint now) const;

private:
  const Certificate certificate_;
  const Certificate issuer_;
  std::string der_;
};

// Whoever opens what is sealed to one opens what is sealed to the other.
bool samePublicKey(const Certificate& a, const Certificate& b);

}  // namespace postern::crypto
