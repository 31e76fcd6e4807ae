#include "gateway/inspect/DnsBreaker.h"

#include "core/base/Log.h"

namespace postern::gateway {

bool DnsBreaker::mayAsk() {
  {
    const MutexLock lock(mutex_);
    if (!dead_) return true;
    if (asking_ || now_() < again_) {
      ++unchecked_;
      return false;
    }
    asking_ = true;
  }
  judge();
  const MutexLock lock(mutex_);
  if (dead_) ++unchecked_;
  return !dead_;
}

void DnsBreaker::note(unsigned asked, unsigned answered) {
  if (asked == 0) return;
  {
    const MutexLock lock(mutex_);
    failures_ = answered > 0 ? 0 : failures_ + 1;
    if (failures_ < Suspicious || dead_ || asking_) return;
    asking_ = true;
  }
  judge();
}

// REQUIRES asking_, set by the caller.
void DnsBreaker::judge() {
  const bool alive = alive_();
  bool turned = false;
  {
    const MutexLock lock(mutex_);
    asking_ = false;
    failures_ = 0;
    turned = dead_ == alive;
    dead_ = !alive;
    again_ = now_() + Pause;
  }
  if (!turned) return;
  if (alive)
    log::info("inspect", "the DNS answers again; senders are checked");
  else
    log::error("inspect", "the DNS does not answer; senders are not checked until it does");
}

bool DnsBreaker::isDead() const {
  const MutexLock lock(mutex_);
  return dead_;
}

std::uint64_t DnsBreaker::unchecked() const {
  const MutexLock lock(mutex_);
  return unchecked_;
}

}  // namespace postern::gateway
