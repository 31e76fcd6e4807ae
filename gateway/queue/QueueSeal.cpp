#include "gateway/queue/QueueSeal.h"

#include "core/base/Error.h"
#include "core/crypto/Digest.h"
#include "core/crypto/Hkdf.h"
#include "core/crypto/Random.h"

namespace postern::gateway {

namespace {
constexpr std::uint64_t RecordsPerSalt = std::uint64_t{1} << 31;
constexpr std::size_t MaxOpeningKeys = 64;
constexpr std::size_t MaxKeptSealers = 32;
}  // namespace

void QueueSeal::setKey(std::string_view queueKey) {
  if (queueKey.size() != crypto::AeadKey::KeySize) throw Error(ErrorKind::Malformed, "a queue key has 32 bytes");
  MutexLock lock(mutex_);
  if (crypto::equalConstantTime(queueKey_.view(), queueKey)) return;
  queueKey_ = Secret(queueKey);
  opening_.clear();
  takeNewSalt();
}

bool QueueSeal::hasKey() const {
  MutexLock lock(mutex_);
  return !queueKey_.empty();
}

Secret QueueSeal::keyOf(std::string_view salt) const {
  return crypto::hkdfSha256(queueKey_, salt, "postern queue records");
}

void QueueSeal::takeNewSalt() {
  salt_ = crypto::randomBytes(SaltSize);
  sealing_.clear();
  sealed_ = 0;
}

std::string QueueSeal::seal(std::string_view plain, std::string_view context) {
  std::string out;
  out.reserve(SaltSize + plain.size() + crypto::AeadKey::Overhead);
  auto records = borrow(out);
  records->sealTo(out, plain, context);
  const MutexLock lock(mutex_);
  if (sealing_.size() < MaxKeptSealers && out.starts_with(salt_)) sealing_.push_back(std::move(records));
  return out;
}

// Sealing itself is done without the lock: a tail is long, and many seal at a time.
std::unique_ptr<crypto::AeadRecords> QueueSeal::borrow(std::string& salt) {
  const MutexLock lock(mutex_);
  if (queueKey_.empty())
    throw Error(ErrorKind::Unavailable, "the queue key has not been given yet: listd is not connected");
  if (++sealed_ > RecordsPerSalt) takeNewSalt();
  salt = salt_;
  if (sealing_.empty()) return std::make_unique<crypto::AeadRecords>(keyOf(salt_));
  auto records = std::move(sealing_.back());
  sealing_.pop_back();
  return records;
}

std::string QueueSeal::open(std::string_view sealed, std::string_view context) {
  MutexLock lock(mutex_);
  if (queueKey_.empty())
    throw Error(ErrorKind::Unavailable, "the queue key has not been given yet: listd is not connected");
  if (sealed.size() < SaltSize) throw Error(ErrorKind::Crypto, "a sealed record is too short");
  const auto salt = sealed.substr(0, SaltSize);
  auto found = opening_.find(salt);
  if (found == opening_.end()) {
    if (opening_.size() >= MaxOpeningKeys) opening_.erase(opening_.begin());
    found = opening_.emplace(std::string(salt), std::make_unique<crypto::AeadRecords>(keyOf(salt))).first;
  }
  return found->second->open(sealed.substr(SaltSize), context);
}

}  // namespace postern::gateway
