#pragma once
#include "core/base/Mutex.h"

#include <chrono>
#include <cstdint>
#include <functional>

namespace postern::gateway {

// Notices that the DNS is dead, so that not every message waits for it in vain. Suspicious once some messages in a row
// had no answer at all, which a sender's own dead name servers can bring about; so it then asks a question of its own,
// and only when that is not answered either nothing more is asked for a while. One thread asks again each time that is
// over. Threads: safe for all; `alive` is called without the lock.
class DnsBreaker {
public:
  using Now = std::function<std::chrono::steady_clock::time_point()>;
  static constexpr unsigned Suspicious = 3;
  static constexpr std::chrono::seconds Pause{15};

  explicit DnsBreaker(std::function<bool()> alive, Now now = std::chrono::steady_clock::now)
      : alive_(std::move(alive)), now_(std::move(now)) {}

  // False: nothing is to be asked for this message, which is counted.
  bool mayAsk();
  // What became of the questions of one message.
  void note(unsigned asked, unsigned answered);

  bool isDead() const;
  std::uint64_t unchecked() const;  // messages that nothing was asked for, since the start

private:
  void judge();

  const std::function<bool()> alive_;
  const Now now_;
  mutable Mutex mutex_;
  unsigned failures_ GUARDED_BY(mutex_) = 0;
  bool dead_ GUARDED_BY(mutex_) = false;
  bool asking_ GUARDED_BY(mutex_) = false;
  std::chrono::steady_clock::time_point again_ GUARDED_BY(mutex_);
  std::uint64_t unchecked_ GUARDED_BY(mutex_) = 0;
};

}  // namespace postern::gateway
