#include "core/crypto/SealedBox.h"

#include "core/base/Error.h"
#include "core/base/Mutex.h"
#include "core/crypto/Gcm.h"
#include "core/crypto/Hkdf.h"
#include "core/crypto/OpenSsl.h"
#include "core/crypto/Random.h"

#include <array>
#include <optional>
#include <thread>

namespace postern::crypto {

namespace {

constexpr char Version = 1;
constexpr std::size_t KeySize = 32;
constexpr std::size_t SaltSize = 32;
constexpr std::size_t HeaderSize = 1 + KeySize + SaltSize;
static_assert(SealedBoxOverhead == HeaderSize + gcm::TagSize);

using Steady = std::chrono::steady_clock;

PkeyPtr publicKeyOf(std::string_view bytes) {
  if (bytes.size() != KeySize) throw Error(ErrorKind::Crypto, "an X25519 public key must have 32 bytes");
  return PkeyPtr(check(EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, nullptr, bytesOf(bytes), bytes.size()),
                       "read an X25519 public key"));
}

PkeyPtr privateKeyOf(const Secret& secret) {
  if (secret.size() != KeySize) throw Error(ErrorKind::Crypto, "an X25519 private key must have 32 bytes");
  return PkeyPtr(check(EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, nullptr, secret.data(), secret.size()),
                       "read an X25519 private key"));
}

std::string rawPublicKey(EVP_PKEY* key) {
  std::string bytes(KeySize, '\0');
  std::size_t size = bytes.size();
  check(EVP_PKEY_get_raw_public_key(key, bytesOf(bytes), &size), "write an X25519 public key");
  return bytes;
}

// Fails for the few public keys that give an all-zero secret (RFC 7748 §6.1).
Secret sharedSecret(EVP_PKEY* own, EVP_PKEY* peer) {
  PkeyContextPtr context(check(EVP_PKEY_CTX_new(own, nullptr), "agree on a key"));
  check(EVP_PKEY_derive_init(context.get()), "agree on a key");
  check(EVP_PKEY_derive_set_peer(context.get(), peer), "agree on a key");
  auto shared = Secret::ofSize(KeySize);
  std::size_t size = shared.size();
  check(EVP_PKEY_derive(context.get(), shared.data(), &size), "agree on a key");
  return shared;
}

// Key and nonce of one message. The nonce needs no randomness of its own: the key is used once.
Secret messageKey(const Secret& shared, std::string_view salt, std::string_view ephemeral, std::string_view recipient) {
  std::string info = "postern sealed box 1";
  info.append(ephemeral).append(recipient);
  return hkdfSha256(shared, salt, info, gcm::KeySize + gcm::NonceSize);
}

std::string authenticated(std::string_view header, std::string_view context) {
  std::string aad(header);
  return aad.append(context);
}

}  // namespace

SealedBoxKeys SealedBoxKeys::generate() {
  return fromPrivateKey(randomSecret(KeySize));
}

SealedBoxKeys SealedBoxKeys::fromPrivateKey(const Secret& privateKey) {
  return {privateKey, rawPublicKey(privateKeyOf(privateKey).get())};
}

// The private half of an ephemeral key is dropped at once; only the shared secret lives for the running second.
struct SealedBoxWriter::State {
  struct Ephemeral {
    std::string publicKey;
    Secret shared;
    unsigned used = 0;
    Steady::time_point expires;
  };

  explicit State(std::string_view key) : recipient(key), recipientKey(publicKeyOf(key)) {}

  Ephemeral fresh() const {
    const auto keys = SealedBoxKeys::generate();
    return {keys.publicKey, sharedSecret(privateKeyOf(keys.privateKey).get(), recipientKey.get()), 0,
            Steady::now() + KeyLifetime};
  }

  void wipeWhenExpired() {
    MutexLock lock(mutex);
    while (!stopping) {
      if (!current) {
        changed.wait(mutex);
      } else if (const auto expires = current->expires; Steady::now() < expires) {
        changed.wait_until(mutex, expires);  // a copy: the wait reads its time after the mutex is free
      } else {
        current.reset();
      }
    }
  }

  const std::string recipient;
  const PkeyPtr recipientKey;
  Mutex mutex;
  Condition changed;
  std::optional<Ephemeral> current GUARDED_BY(mutex);
  bool stopping GUARDED_BY(mutex) = false;
  std::jthread wiper;
};

SealedBoxWriter::SealedBoxWriter(std::string_view publicKey) : state_(std::make_unique<State>(publicKey)) {
  state_->wiper = std::jthread([state = state_.get()] { state->wipeWhenExpired(); });
}

SealedBoxWriter::~SealedBoxWriter() {
  {
    MutexLock lock(state_->mutex);
    state_->stopping = true;
  }
  state_->changed.notify_all();
  state_->wiper.join();
}

std::string SealedBoxWriter::seal(std::string_view plain, std::string_view context) {
  const auto salt = randomBytes(SaltSize);
  std::string out(1, Version);
  out.reserve(plain.size() + SealedBoxOverhead);
  Secret shared;
  {
    MutexLock lock(state_->mutex);
    auto& current = state_->current;
    if (!current || current->used >= MessagesPerKey || Steady::now() >= current->expires) {
      current = state_->fresh();
      state_->changed.notify_all();
    }
    ++current->used;
    out.append(current->publicKey);
    shared = current->shared;
  }
  out.append(salt);
  const auto key = messageKey(shared, salt, std::string_view(out).substr(1, KeySize), state_->recipient);
  const auto aad = authenticated(out, context);
  gcm::seal(gcm::sealingContext(key.data()).get(), key.data() + gcm::KeySize, plain, aad, out);
  return out;
}

bool SealedBoxWriter::holdsKey() const {
  MutexLock lock(state_->mutex);
  return state_->current.has_value();
}

struct SealedBoxReader::State {
  struct Known {
    std::string ephemeral;
    Secret shared;
  };

  explicit State(const Secret& key) : keys(SealedBoxKeys::fromPrivateKey(key)), privateKey(privateKeyOf(key)) {}

  Secret sharedWith(std::string_view ephemeral) {
    {
      MutexLock lock(mutex);
      for (const auto& entry : known)
        if (entry.ephemeral == ephemeral) return entry.shared;
    }
    auto shared = sharedSecret(privateKey.get(), publicKeyOf(ephemeral).get());
    MutexLock lock(mutex);
    known[next++ % known.size()] = {std::string(ephemeral), shared};
    return shared;
  }

  const SealedBoxKeys keys;
  const PkeyPtr privateKey;
  Mutex mutex;
  std::array<Known, 8> known GUARDED_BY(mutex);
  std::size_t next GUARDED_BY(mutex) = 0;
};

SealedBoxReader::SealedBoxReader(const Secret& privateKey) : state_(std::make_unique<State>(privateKey)) {}
SealedBoxReader::~SealedBoxReader() = default;

std::string SealedBoxReader::open(std::string_view sealed, std::string_view context) {
  if (sealed.size() < SealedBoxOverhead) throw Error(ErrorKind::Crypto, "cannot open sealed content: it is cut short");
  if (sealed[0] != Version)
    throw Error(ErrorKind::Crypto, "cannot open sealed content: its form is not known to this version of Postern");
  const auto header = sealed.substr(0, HeaderSize);
  const auto ephemeral = header.substr(1, KeySize);
  const auto shared = state_->sharedWith(ephemeral);
  const auto key = messageKey(shared, header.substr(1 + KeySize), ephemeral, state_->keys.publicKey);
  std::string plain(sealed.size() - SealedBoxOverhead, '\0');
  gcm::open(gcm::openingContext(key.data()).get(), key.data() + gcm::KeySize, sealed.substr(HeaderSize),
            authenticated(header, context), bytesOf(plain));
  return plain;
}

}  // namespace postern::crypto
