#include "listd/plan/Reason.h"

#include <array>
#include <string_view>
#include <utility>

namespace postern::listd {
namespace {

constexpr std::array<std::pair<Reason, const char*>, 24> Words{{
    {Reason::OpenList, "open-list"},
    {Reason::ValidCertificate, "valid-certificate"},
    {Reason::NoKey, "no-key"},
    {Reason::KeyUnconfirmed, "key-unconfirmed"},
    {Reason::CertificateExpired, "certificate-expired"},
    {Reason::CertificateNotYetValid, "certificate-not-yet-valid"},
    {Reason::WrongAddress, "wrong-address"},
    {Reason::WrongPurpose, "wrong-purpose"},
    {Reason::WeakKey, "weak-key"},
    {Reason::UnsupportedKey, "unsupported-key"},
    {Reason::Untrusted, "untrusted"},
    {Reason::Revoked, "revoked"},
    {Reason::SealingFailed, "sealing-failed"},
    {Reason::ValidOpenPgpKey, "valid-openpgp-key"},
    {Reason::VerifiedTls, "verified-tls"},
    {Reason::PickUp, "pick-up"},
    {Reason::TlsTooLate, "tls-too-late"},
    {Reason::KeyExpired, "key-expired"},
    {Reason::KeyNotYetValid, "key-not-yet-valid"},
    {Reason::TlsNotVerified, "tls-not-verified"},
    {Reason::TlsDoesNotCount, "tls-does-not-count"},
    {Reason::NotOnLadder, "not-on-ladder"},
    {Reason::Wish, "wish"},
    {Reason::RevocationUnknown, "revocation-unknown"},
}};

}  // namespace

const char* reasonWord(Reason reason) {
  for (const auto& [known, word] : Words)
    if (known == reason) return word;
  return "sealing-failed";  // fail closed: an unknown reason never allows a copy
}

std::optional<Reason> parseReason(std::string_view word) {
  for (const auto& [reason, known] : Words)
    if (word == known) return reason;
  return std::nullopt;
}

}  // namespace postern::listd
