#pragma once
#include "core/base/Secret.h"

#include <chrono>
#include <memory>
#include <string>
#include <string_view>

// Sealing to an X25519 public key: who holds only the public key can seal, not open (how the gateway gives content to
// the vault). Form: version 1, ephemeral public key (32), salt (32), ciphertext, tag (16).
// The AES-256-GCM key and nonce are HKDF-SHA256(X25519 shared secret, random salt per message, both public keys); the
// header and the caller's `context` are authenticated. All that is opened must be given the same context.
namespace postern::crypto {

struct SealedBoxKeys {
  Secret privateKey;      // 32 bytes
  std::string publicKey;  // 32 bytes

  static SealedBoxKeys generate();
  static SealedBoxKeys fromPrivateKey(const Secret& privateKey);
};

constexpr std::size_t SealedBoxOverhead = 1 + 32 + 32 + 16;

// Seals many messages to one public key. An ephemeral key pair is used for at most 1,000 messages and 1 s, then
// replaced, so that a message costs microseconds and not an X25519 operation. The price: who reads this process's
// memory can open what was sealed in the running second, and no more: the shared secret is wiped when its second is
// over, also when nothing else is sealed.
// Errors: throws Error(Crypto). Threads: safe for all.
class SealedBoxWriter {
public:
  static constexpr unsigned MessagesPerKey = 1000;
  static constexpr std::chrono::seconds KeyLifetime{1};

  explicit SealedBoxWriter(std::string_view publicKey);  // 32 bytes
  ~SealedBoxWriter();
  std::string seal(std::string_view plain, std::string_view context);
  bool holdsKey() const;  // is there a shared secret in memory just now?

private:
  struct State;
  std::unique_ptr<State> state_;
};

// Opens with the private key. Remembers a few shared secrets, since messages come in runs with one ephemeral key.
// Errors: throws Error(Crypto) for what was changed, cut or sealed to another key. Threads: safe for all.
class SealedBoxReader {
public:
  explicit SealedBoxReader(const Secret& privateKey);
  ~SealedBoxReader();
  std::string open(std::string_view sealed, std::string_view context);

private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace postern::crypto
