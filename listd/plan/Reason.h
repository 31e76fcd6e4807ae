#pragma once
#include <cstdint>
#include <optional>
#include <string_view>

namespace postern::listd {

// Why a member's copy has the protection it has, or why it is withheld. The words are stable: they stand in the
// ledger, in orders and in the interfaces, so a word is never renamed.
enum class Reason : std::uint8_t {
  OpenList,                // "open-list": the list is open, the copy is plain
  ValidCertificate,        // "valid-certificate"
  NoKey,                   // "no-key": nothing on file
  KeyUnconfirmed,          // "key-unconfirmed": one was proposed, nobody confirmed it
  CertificateExpired,      // "certificate-expired"
  CertificateNotYetValid,  // "certificate-not-yet-valid"
  WrongAddress,            // "wrong-address": the certificate names other addresses
  WrongPurpose,            // "wrong-purpose": not made for encrypting mail
  WeakKey,                 // "weak-key"
  UnsupportedKey,          // "unsupported-key": an algorithm that we cannot wrap for
  Untrusted,               // "untrusted": no chain to a trusted authority
  Revoked,                 // "revoked"
  SealingFailed,           // "sealing-failed": wrapping the content key failed
  ValidOpenPgpKey,         // "valid-openpgp-key"
  VerifiedTls,             // "verified-tls": the servers of the domain can be verified
  PickUp,                  // "pick-up": nothing better can be had
  TlsTooLate,              // "tls-too-late": verified TLS could not be had in time, hence pick-up
  KeyExpired,              // "key-expired": of an OpenPGP key
  KeyNotYetValid,          // "key-not-yet-valid": of an OpenPGP key
  TlsNotVerified,          // "tls-not-verified": the servers of the domain could not be verified
  TlsDoesNotCount,         // "tls-does-not-count": the site says so of the domain
  NotOnLadder,             // "not-on-ladder": what the member has is not what the list allows
  Wish,                    // "wish": the member wants more than can be had
  RevocationUnknown,       // "revocation-unknown": the site wants the issuer's word first, and has none
};
constexpr auto LastReason = Reason::RevocationUnknown;

const char* reasonWord(Reason reason);
std::optional<Reason> parseReason(std::string_view word);

// True when a copy may go out for this reason.
constexpr bool allowsCopy(Reason reason) {
  return reason == Reason::OpenList || reason == Reason::ValidCertificate || reason == Reason::ValidOpenPgpKey ||
         reason == Reason::VerifiedTls || reason == Reason::PickUp || reason == Reason::TlsTooLate;
}

}  // namespace postern::listd
