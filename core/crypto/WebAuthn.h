#pragma once
#include "core/base/Result.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

// Passkeys: the server's half of WebAuthn level 2, §7.1 and §7.2, over libfido2. Bytes are raw, not base64.
// Rules: user presence and user verification always; ES256, EdDSA and RS256; attestation "none" or "packed", which is
// checked for being well made and proves no maker to us. Threads: safe for all. Errors: Error(Crypto) when the library
// cannot work; everything about the peer's bytes is a Fault.
namespace postern::crypto::webauthn {

// Who asks: id is the host name, origin "https://host" with the port unless it is 443.
struct RelyingParty {
  std::string id;
  std::string origin;
};
// From the address of the web UI; nothing when its host is an IP address, for which there are no passkeys.
std::optional<RelyingParty> relyingPartyOf(std::string_view webUrl);

enum class Fault {
  Malformed,
  WrongType,       // made for the other ceremony
  WrongChallenge,  // not the one that was asked
  WrongOrigin,     // another site, or a frame in one
  WrongParty,      // authenticator data for another relying party
  NotVerified,     // the person was not present or not verified
  Algorithm,       // none of those we take
  Attestation,     // its form or signature
  Signature,
  Counter,  // went back: the authenticator may have been copied
};
const char* faultText(Fault fault);

struct Credential {
  std::string id;
  int algorithm = 0;  // COSE number: -7, -8, -257
  std::string publicKey;
  std::uint32_t signCount = 0;
};

// The challenge that a clientDataJSON names (base64url, as it was sent); nothing when it is no such thing.
std::optional<std::string> challengeOf(std::string_view clientDataJson);

// What navigator.credentials.create answered.
Result<Credential, Fault> verifyRegistration(const RelyingParty& party, std::string_view challenge,
                                             std::string_view clientDataJson, std::string_view attestationObject);

struct Assertion {
  std::string_view clientDataJson;
  std::string_view authenticatorData;
  std::string_view signature;
};
// What navigator.credentials.get answered: the new counter, to be stored.
Result<std::uint32_t, Fault> verifyAssertion(const RelyingParty& party, std::string_view challenge,
                                             const Credential& credential, const Assertion& assertion);

}  // namespace postern::crypto::webauthn
