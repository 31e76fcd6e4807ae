#include "core/crypto/Password.h"

#include "core/base/Error.h"
#include "core/crypto/Random.h"

#include <argon2.h>

#include <charconv>

namespace postern::crypto {

namespace {

// OWASP's first choice for Argon2id: about 40 ms.
constexpr std::uint32_t Passes = 2;
constexpr std::uint32_t MemoryKib = 19 * 1024;
constexpr std::uint32_t Lanes = 1;
constexpr std::size_t SaltSize = 16;
constexpr std::size_t HashSize = 32;
constexpr std::uint32_t MaxMemoryKib = 256 * 1024;
constexpr std::size_t MaxPassword = 4096;

class Slot {
public:
  explicit Slot(std::counting_semaphore<>& slots) : slots_(slots) { slots_.acquire(); }
  ~Slot() { slots_.release(); }
  Slot(const Slot&) = delete;
  Slot& operator=(const Slot&) = delete;

private:
  std::counting_semaphore<>& slots_;
};

// A stored hash names its own memory; a damaged one must not take it all.
bool affordable(std::string_view encoded) {
  const auto at = encoded.find("$m=");
  if (at == std::string_view::npos) return false;
  std::uint32_t memory = 0;
  const auto parsed = std::from_chars(encoded.data() + at + 3, encoded.data() + encoded.size(), memory);
  return parsed.ec == std::errc() && memory <= MaxMemoryKib && encoded.size() < 512;
}

[[noreturn]] void throwArgon(int code) {
  throw Error(ErrorKind::Crypto, std::string("cannot hash a password: ") + argon2_error_message(code));
}

}  // namespace

std::string PasswordHasher::hash(const Secret& password) {
  if (password.size() > MaxPassword) throw Error(ErrorKind::Crypto, "cannot hash a password of more than 4096 bytes");
  const auto salt = randomBytes(SaltSize);
  std::string encoded(argon2_encodedlen(Passes, MemoryKib, Lanes, SaltSize, HashSize, Argon2_id), '\0');
  const Slot slot(slots_);
  ++computed_;
  const int code = argon2id_hash_encoded(Passes, MemoryKib, Lanes, password.data(), password.size(), salt.data(),
                                         salt.size(), HashSize, encoded.data(), encoded.size());
  if (code != ARGON2_OK) throwArgon(code);
  encoded.resize(encoded.find('\0'));
  return encoded;
}

bool PasswordHasher::verify(const Secret& password, const std::optional<std::string>& encoded) {
  if (password.size() > MaxPassword) return false;
  if (!encoded) {
    hash(password);
    return false;
  }
  if (!affordable(*encoded)) throw Error(ErrorKind::Crypto, "a stored password hash is damaged");
  const Slot slot(slots_);
  ++computed_;
  const int code = argon2id_verify(encoded->c_str(), password.data(), password.size());
  if (code == ARGON2_OK) return true;
  if (code == ARGON2_VERIFY_MISMATCH) return false;
  throwArgon(code);
}

Secret keyOfPassphrase(const Secret& passphrase, const PassphraseParameters& with) {
  if (with.memoryKib < MemoryKib || with.memoryKib > MaxMemoryKib || with.passes < 1 || with.passes > 64 ||
      with.lanes < 1 || with.lanes > 16 || with.salt.size() != SaltSize || passphrase.size() > MaxPassword)
    throw Error(ErrorKind::Crypto, "the parameters of a passphrase are damaged");
  auto key = Secret::ofSize(HashSize);
  const int code = argon2id_hash_raw(with.passes, with.memoryKib, with.lanes, passphrase.data(), passphrase.size(),
                                     with.salt.data(), with.salt.size(), key.data(), key.size());
  if (code != ARGON2_OK) throwArgon(code);
  return key;
}

}  // namespace postern::crypto
