#pragma once
#include "core/base/Mutex.h"
#include "core/crypto/RecipientKey.h"
#include "core/seal/SharedBodyContent.h"

#include <string>

namespace postern::seal {

// A recipient's key in the form that wraps. For RSA the encryption is set up once, for all messages.
// Threads: safe for all (two copies to one recipient wait for each other).
class WrappingKey {
public:
  explicit WrappingKey(const crypto::RecipientKey& recipient);
  EVP_PKEY* key() const { return key_.get(); }
  std::string encrypt(const Secret& contentKey);  // REQUIRES: RSA

private:
  crypto::PkeyPtr key_;
  Mutex mutex_;
  crypto::PkeyContextPtr encrypting_ GUARDED_BY(mutex_);
};

// DER of the one RecipientInfo of a copy (RFC 5652 §6.2): the content key wrapped to `key`, which belongs to
// `recipient`. Errors: throw Error(Crypto).
std::string keyTransport(const Secret& contentKey, const crypto::RecipientKey& recipient, WrappingKey& key);
std::string keyAgreement(const Secret& contentKey, const crypto::RecipientKey& recipient, const WrappingKey& key,
                         const EphemeralKey& ephemeral);

}  // namespace postern::seal
