#pragma once
#include "core/base/Clock.h"
#include "core/mail/Message.h"
#include "listd/site/SiteContext.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace postern::listd {

// A key that came with mail of an address, judged for that address. Nothing of it is trusted: whoever can write a From
// field can send one.
struct KeyFinding {
  std::string address;
  std::string origin;            // "signed-mail" "autocrypt" "mail" "web" "lookup"
  std::optional<MemberKey> key;  // none: it cannot be used for the address
  std::string fingerprint;
  std::string reason;  // why it cannot be used
};

constexpr std::uint64_t MaxProposals = 5;  // of one address; more are not taken until a person decided
constexpr std::uint64_t MaxRefusals = 20;  // of one address that are kept and recorded

// Judges key material as the key of an address. Nothing when it is no public key at all.
KeyFinding judgeFinding(SiteContext& context, std::string_view bytes, const std::string& address, std::string origin);

// The key of a post's author: `signerCertificate` (DER, of a good signature; may be empty) and one Autocrypt field
// that names the author (Autocrypt 1.1; with several none counts). Costs nothing for mail that has neither.
std::vector<KeyFinding> findKeys(SiteContext& context, const mail::Message& post, const std::string& signerCertificate);

// Writes what was found: a proposal and an entry in the audit log, or the entry alone when the key is not fit. A key
// that is on file in any state, was revoked, or was refused before changes nothing. A confirmed key is never touched.
void propose(SiteTables& tables, const KeyFinding& finding, TimePoint now);

// Takes a key from a directory that speaks for the domain of the address: it is in use at once, beside those that are.
// True when something changed. A key that was revoked, or that a person refused for the address, is not taken.
bool takeAuthoritative(SiteTables& tables, const KeyFinding& finding, TimePoint now);

// How a key came that its owner brought.
enum class KeyProof : std::uint8_t {
  Mailbox,  // a token that was mailed to the address came back
  OldKey,   // the mail that brought it is signed by a confirmed key of the address
};
enum class KeyTaken : std::uint8_t { Confirmed, WaitsForOwner, Revoked };

// Takes a key that its owner brought. It is in use at once for an address that never had one, or when an old key
// vouches for it; else it waits for a person of the site, since a mailbox alone must not replace a confirmed key.
// The same key again, with a later end, renews itself: it is signed by itself. A new certificate for the public key of
// one that is in use is in use at once, too (docs/decisions/0029).
KeyTaken takeProven(SiteTables& tables, MemberKey key, KeyProof proof, TimePoint now);

}  // namespace postern::listd
