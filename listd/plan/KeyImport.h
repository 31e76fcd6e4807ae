#pragma once
#include "core/base/Clock.h"
#include "core/base/Result.h"
#include "core/crypto/Certificate.h"
#include "listd/site/MemberKeyStore.h"

#include <string>
#include <string_view>

namespace postern::listd {

// Why a key is not taken, with what to do about it.
struct KeyImportError {
  std::string message;
  std::string hint;
};

// Makes the key of an address from the bytes that were given: an S/MIME certificate (PEM, DER or base64 of DER) or an
// OpenPGP key (armor or binary), told apart by what they are. A key that cannot be used at all is an error with the
// reason in plain words; one that cannot be used now (not valid yet, ended) is kept with its reason.
// `trust`: what certificates must chain to, or null.
Result<MemberKey, KeyImportError> importKey(std::string_view bytes, const std::string& address, TimePoint now,
                                            const crypto::TrustStore* trust);

// The key that is on file, looked at again with the authorities as they are now.
MemberKey judgeAgain(MemberKey key, TimePoint now, const crypto::TrustStore* trust);

// How the state of a certificate is called in plans. Its time of validity is looked at in each plan, so it is no
// verdict.
Reason verdictOf(crypto::CertificateState state);

}  // namespace postern::listd
