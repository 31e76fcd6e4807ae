#pragma once
#include "core/base/Secret.h"

#include <atomic>
#include <cstdint>
#include <optional>
#include <semaphore>
#include <string>

namespace postern::crypto {

// Argon2id hashes of passwords (RFC 9106), in the usual encoded form "$argon2id$v=19$m=19456,t=2,p=1$…".
// Invariant: never more than `atOnce` hashes at a time, so that a flood of sign-ins cannot take the memory
// (19 MiB each); others wait. Errors: throws Error(Crypto). Threads: safe for all.
class PasswordHasher {
public:
  explicit PasswordHasher(unsigned atOnce = 4) : slots_(atOnce) {}

  std::string hash(const Secret& password);

  // False for a wrong password. Without a hash (no such account) it takes as long and is false, so that the time
  // does not tell which accounts exist.
  bool verify(const Secret& password, const std::optional<std::string>& encoded);

  // Hashes computed so far, for whoever wants to know what an attempt costs.
  std::uint64_t computed() const { return computed_; }

private:
  std::counting_semaphore<> slots_;
  std::atomic<std::uint64_t> computed_{0};
};

// What makes a key of a passphrase, stored beside what the key seals.
struct PassphraseParameters {
  std::uint32_t memoryKib = 64 * 1024;
  std::uint32_t passes = 3;
  std::uint32_t lanes = 1;
  std::string salt;  // 16 bytes
};
// 32 bytes by Argon2id (RFC 9106): about 0.2 s and 64 MiB with the parameters above. Error(Crypto), also for parameters
// that are too weak or too costly to be ours.
Secret keyOfPassphrase(const Secret& passphrase, const PassphraseParameters& parameters);

}  // namespace postern::crypto
