#pragma once
#include "core/base/Mutex.h"
#include "core/base/Secret.h"
#include "core/crypto/Aead.h"

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace postern::gateway {

// Seals the queue's records at rest with AES-256-GCM. Sealed form: 16 bytes salt, then as crypto::AeadRecords. The key
// of a record is derived from the queue key and the salt; a new salt is taken at each start and after 2^31 records, so
// that random nonces never come near their limit. Threads: safe for all. Errors: Error(Unavailable) before setKey,
// Error(Crypto) for what does not verify.
class QueueSeal {
public:
  void setKey(std::string_view queueKey);  // 32 bytes, else Error(Malformed)
  bool hasKey() const;
  std::string seal(std::string_view plain, std::string_view context);
  std::string open(std::string_view sealed, std::string_view context);

private:
  static constexpr std::size_t SaltSize = 16;
  Secret keyOf(std::string_view salt) const REQUIRES_LOCK(mutex_);
  void takeNewSalt() REQUIRES_LOCK(mutex_);
  std::unique_ptr<crypto::AeadRecords> borrow(std::string& salt);

  mutable Mutex mutex_;
  Secret queueKey_ GUARDED_BY(mutex_);
  std::string salt_ GUARDED_BY(mutex_);
  std::uint64_t sealed_ GUARDED_BY(mutex_) = 0;
  std::vector<std::unique_ptr<crypto::AeadRecords>> sealing_ GUARDED_BY(mutex_);  // of salt_, not in use just now
  std::map<std::string, std::unique_ptr<crypto::AeadRecords>, std::less<>> opening_ GUARDED_BY(mutex_);
};

}  // namespace postern::gateway
