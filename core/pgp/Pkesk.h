#pragma once
#include "core/base/Mutex.h"
#include "core/base/Secret.h"
#include "core/crypto/OpenSsl.h"
#include "core/pgp/RecipientKey.h"

#include <string>
#include <string_view>

namespace postern::pgp {

// A recipient's key in the form that wraps. For RSA the encryption is set up once, for all messages.
// Threads: safe for all (two copies to one recipient wait for each other).
class WrappingKey {
public:
  explicit WrappingKey(const RecipientKey& recipient);
  EVP_PKEY* key() const { return key_.get(); }
  std::string encrypt(const Secret& sessionKey);  // REQUIRES: RSA

private:
  crypto::PkeyPtr key_;
  Mutex mutex_;
  crypto::PkeyContextPtr encrypting_ GUARDED_BY(mutex_);
};

// The ephemeral key of one message on one curve: shared by the message's recipients on that curve, never by two
// messages. Each recipient's wrapping key differs all the same, since the key's fingerprint goes into it (RFC 6637 §7).
struct EphemeralKey {
  crypto::PkeyPtr key;
  std::string point;  // as an MPI
};
EphemeralKey makeEphemeral(KeyKind curve);

// The session key as it is wrapped: cipher, key, sum of its octets (RFC 4880 §5.1).
Secret sessionKeyField(std::uint8_t cipher, std::string_view key);

// One public-key encrypted session key packet of version 3. `field`: from sessionKeyField.
// Errors: throw Error(Crypto).
std::string rsaPacket(const Secret& field, const RecipientKey& recipient, WrappingKey& key);
std::string ecdhPacket(const Secret& field, const RecipientKey& recipient, const WrappingKey& key,
                       const EphemeralKey& ephemeral);

// RFC 6637 §7 and §8, for those who unwrap too. `agreed`: the shared point (x, or the 32 bytes of X25519).
Secret keyWrappingKey(const RecipientKey& recipient, const Secret& agreed);

}  // namespace postern::pgp
