#include "listd/plan/KeyImport.h"

#include "core/base/Error.h"
#include "core/crypto/CertificateBundle.h"
#include "core/crypto/RecipientKey.h"
#include "core/pgp/PublicKey.h"
#include "core/pgp/RecipientKey.h"

#include <algorithm>
#include <optional>

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

namespace {

Reason verdictOf(pgp::KeyState state) {
  using State = pgp::KeyState;
  switch (state) {
    case State::Valid:
    case State::Expired:
    case State::NotYetValid:
      return Reason::ValidOpenPgpKey;
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
  throw Error(ErrorKind::Invariant, "a check of a key gave an unknown state");
}

// Armor says so; in binary the first packet is a key (RFC 4880 §4.2), which no DER begins like.
bool isOpenPgp(std::string_view bytes) {
  if (bytes.find("-----BEGIN PGP ") != std::string_view::npos) return true;
  if (bytes.empty()) return false;
  const auto first = static_cast<unsigned char>(bytes.front());
  const bool newFormat = (first & 0xC0U) == 0xC0U;
  const bool oldFormat = (first & 0xC0U) == 0x80U;
  const unsigned tag = newFormat ? first & 0x3FU : (first >> 2U) & 0x0FU;
  return (newFormat || oldFormat) && (tag == 5 || tag == 6);
}

// Keys without an end of their own; far enough, and a date that every program can show.
const TimePoint FarEnd = TimePoint(std::chrono::sys_days(std::chrono::year(9999) / 12 / 31));

// The report at a moment at which the key is valid by its own dates, if there is one.
pgp::KeyReport inspectWithinValidity(const pgp::PublicKey& key, TimePoint now) {
  auto report = key.inspect(now);
  if (report.state == pgp::KeyState::NotYetValid) return key.inspect(report.created);
  if (report.state == pgp::KeyState::Expired && report.expires)
    return key.inspect(*report.expires - std::chrono::seconds(1));
  return report;
}

KeyImportError refusal(const std::string& address, const pgp::KeyReport& report, const pgp::KeyCheck& check) {
  if (check.state != pgp::KeyState::WrongAddress)
    return {"the key cannot be used: " + check.detail, "ask the member for another key"};
  std::string names;
  for (const auto& id : report.userIds)
    if (!id.address.empty() && names.size() < 300) names += (names.empty() ? "" : ", ") + id.address;
  return {"the key is not for " + address + (names.empty() ? "; it names no mail address" : "; it is for " + names),
          "ask the member for a key with a user id for " + address};
}

std::string userIdFor(const pgp::KeyReport& report, const std::string& address) {
  for (const auto& id : report.userIds)
    if (id.state == pgp::KeyState::Valid && id.address == address) return id.text;
  return report.userIds.empty() ? std::string() : report.userIds.front().text;
}

Result<MemberKey, KeyImportError> importOpenPgp(std::string_view bytes, const std::string& address, TimePoint now) {
  const auto parsed = pgp::PublicKey::parse(bytes);
  if (!parsed)
    return Unexpected(KeyImportError{"this is not an OpenPGP key that can be used: " + parsed.error().message,
                                     "give one public key, armored or binary, without its private key"});
  const auto report = inspectWithinValidity(*parsed, now);
  const auto check = pgp::check(report, address);
  if (!check.valid()) return Unexpected(refusal(address, report, check));
  const auto recipient = pgp::RecipientKey::of(*parsed, report);
  if (!recipient) return Unexpected(refusal(address, report, check));

  MemberKey key;
  key.address = address;
  key.facts = {
      report.fingerprint, KeyState::Confirmed, verdictOf(check.state), report.created, report.expires.value_or(FarEnd),
      KeyKind::OpenPgp};
  key.algorithm = report.algorithm;
  if (report.chosen) key.bits = report.keys.at(*report.chosen).bits;
  key.subject = userIdFor(report, address);
  key.addedAt = now;
  key.recipientKey = recipient->encode();
  key.certificate = parsed->bytes();
  return key;
}

}  // namespace

MemberKey judgeAgain(MemberKey key, TimePoint now, const crypto::TrustStore* trust) {
  const auto again = importKey(key.certificate, key.address, now, trust);
  if (again) {
    key.facts.verdict = again->facts.verdict;
    key.facts.notBefore = again->facts.notBefore;
    key.facts.notAfter = again->facts.notAfter;
    key.recipientKey = again->recipientKey;
    return key;
  }
  key.facts.verdict = Reason::UnsupportedKey;
  if (key.facts.kind == KeyKind::OpenPgp) {
    if (const auto parsed = pgp::PublicKey::parse(key.certificate)) {
      const auto verdict = verdictOf(pgp::check(inspectWithinValidity(*parsed, now), key.address).state);
      if (!allowsCopy(verdict)) key.facts.verdict = verdict;
    }
  } else if (const auto certificate = crypto::Certificate::parse(key.certificate)) {
    const auto verdict = verdictOf(crypto::check(*certificate, key.address, now, trust).state);
    if (!allowsCopy(verdict)) key.facts.verdict = verdict;
  }
  return key;
}

namespace {

// One certificate; of a bundle (p7b, PEM with the chain) the one that names the address. Others in it are not trusted:
// a chain must lead to the authorities of the site without help from the bundle.
Result<crypto::Certificate, crypto::CertificateError> leafOf(std::string_view bytes, const std::string& address) {
  auto single = crypto::Certificate::parse(bytes);
  if (single || single.error().code == "private-key") return single;
  const auto bundle = crypto::parseCertificates(bytes);
  if (!bundle && single.error().code != "several") return single;
  if (!bundle) return Unexpected(bundle.error());
  std::optional<crypto::Certificate> found;
  for (const auto& each : *bundle) {
    const auto& names = each.addresses();
    if (std::none_of(names.begin(), names.end(), [&](const auto& name) { return crypto::sameAddress(name, address); }))
      continue;
    if (found)
      return Unexpected(crypto::CertificateError{"several", "It holds several certificates for " + address + "."});
    found = each;
  }
  if (!found) return Unexpected(crypto::CertificateError{"malformed", "No certificate in it names " + address + "."});
  return std::move(*found);
}

}  // namespace

Result<MemberKey, KeyImportError> importKey(std::string_view bytes, const std::string& address, TimePoint now,
                                            const crypto::TrustStore* trust) {
  if (isOpenPgp(bytes)) return importOpenPgp(bytes, address, now);
  if (crypto::isPkcs12(bytes))
    return Unexpected(KeyImportError{
        "this is a PKCS#12 file, which holds the member's private key; Postern never takes a private key of a member",
        "export the certificate alone, as .cer, .pem or .p7b, and treat this key as disclosed if it was sent by mail"});
  const auto parsed = leafOf(bytes, address);
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
