#pragma once
#include "core/base/Secret.h"

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

private:
  std::counting_semaphore<> slots_;
};

}  // namespace postern::crypto
