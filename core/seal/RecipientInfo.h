#pragma once
#include <string>

#include "core/crypto/RecipientKey.h"
#include "core/seal/SharedBodyContent.h"

namespace postern::seal {

// DER of the one RecipientInfo of a copy (RFC 5652 §6.2): the content key wrapped to `key`, which is the OpenSSL form
// of `recipient`. Errors: throw Error(Crypto).
std::string keyTransport(const Secret& contentKey, const crypto::RecipientKey& recipient, EVP_PKEY* key);
std::string keyAgreement(const Secret& contentKey, const crypto::RecipientKey& recipient, EVP_PKEY* key,
                         const EphemeralKey& ephemeral);

}  // namespace postern::seal
