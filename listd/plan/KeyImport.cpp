#include "listd/plan/KeyImport.h"

#include "core/base/Error.h"
#include "core/crypto/RecipientKey.h"

namespace postern::listd {
namespace {

// A moment at which the certificate is valid by its own dates, so that a check says what else is wrong.
TimePoint withinValidity(const crypto::Certificate& certificate, TimePoint now) {
  if (now < certificate.notBefore()) return certificate.notBefore();
  if (now > certificate.notAfter()) return certificate.notAfter();
  return now;
}

KeyImportError refusal(const crypto::Certificate& certificate, const std::string& address,
                       const crypto::CertificateCheck& check) {
  if (check.state == crypto::CertificateState::WrongAddress) {
    std::string names;
    for (const auto& name : certificate.addresses()) names += (names.empty() ? "" : ", ") + name;
    return {"the certificate is not for " + address +
                (names.empty() ? "; it names no mail address" : "; it is for " + names),
            "ask the member for a certificate that names " + address};
  }
  return {"the certificate cannot be used: " + check.detail, "ask the member for another certificate"};
}

}  // namespace

Reason verdictOf(crypto::CertificateState state) {
  using State = crypto::CertificateState;
  switch (state) {
    case State::Valid:
    case State::Expired:
    case State::NotYetValid:
      return Reason::ValidCertificate;
    case State::WrongAddress:
      return Reason::WrongAddress;
    case State::WrongUsage:
      return Reason::WrongPurpose;
    case State::WeakKey:
      return Reason::WeakKey;
    case State::Untrusted:
      return Reason::Untrusted;
    case State::Revoked:
      return Reason::Revoked;
    case State::Unsupported:
      return Reason::UnsupportedKey;
  }
  throw Error(ErrorKind::Invariant, "a certificate check gave an unknown state");
}

Result<MemberKey, KeyImportError> importKey(std::string_view bytes, const std::string& address, TimePoint now,
                                            const crypto::TrustStore* trust) {
  const auto parsed = crypto::Certificate::parse(bytes);
  if (!parsed)
    return Unexpected(KeyImportError{"this is not a certificate that can be used: " + parsed.error().message,
                                     "give one S/MIME certificate as PEM or DER, without its private key"});
  const auto& certificate = *parsed;
  const auto check = crypto::check(certificate, address, withinValidity(certificate, now), trust);
  if (!check.valid()) return Unexpected(refusal(certificate, address, check));

  MemberKey key;
  key.address = address;
  key.facts = {certificate.fingerprint(), KeyState::Confirmed, verdictOf(check.state), certificate.notBefore(),
               certificate.notAfter()};
  key.algorithm = certificate.algorithm();
  key.bits = certificate.keyBits();
  key.subject = certificate.subject();
  key.issuer = certificate.issuer();
  key.addedAt = now;
  key.recipientKey = crypto::RecipientKey::of(certificate).encode();
  key.certificate = certificate.der();
  return key;
}

}  // namespace postern::listd
