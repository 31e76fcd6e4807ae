#pragma once
#include "core/crypto/OpenSsl.h"
#include "core/seal/SharedBody.h"

#include <array>
#include <mutex>

namespace postern::seal {

// The ephemeral key of one message on one curve (RFC 5753 §3.1.1): shared by the message's recipients on that curve,
// never by two messages. Made when the first of them is sealed.
struct EphemeralKey {
  crypto::PkeyPtr key;
  std::string originator;  // DER of the originator field of KeyAgreeRecipientInfo
};

struct SharedBody::Content {
  ContentCipher cipher = ContentCipher::Cbc;
  Secret contentKey;
  std::string iv;
  // The first bytes of the ciphertext. They stand in the heads, cut into as many segments as it takes to bring the
  // head to a multiple of three bytes, so that the base64 of the tail is the same behind every head.
  std::string first;
  std::string tail;

  const EphemeralKey& ephemeral(crypto::KeyKind curve) const;

private:
  struct Slot {
    std::once_flag once;
    EphemeralKey key;
  };
  mutable std::array<Slot, 3> slots_;  // P-256, P-384, P-521
};

constexpr std::size_t FirstBytes = 48;

}  // namespace postern::seal
