// The part of Deliverer that loads copies from the queue.
#include "core/base/Error.h"
#include "core/base/Log.h"
#include "gateway/deliver/Deliverer.h"
#include "gateway/deliver/OutboundCopy.h"

namespace postern::gateway {

using Outcome = app::DeliveryEvent::Outcome;

// Loads the copy; nothing if it cannot be tried now.
Deliverer::CopyAtHand Deliverer::open(const Scheduler::Job& job) {
  try {
    bool locked = false;
    auto copy = load(job, locked);
    if (locked) {
      {
        const MutexLock lock(mutex_);
        locked_ = true;  // until queueKeySet(), which may have come just before
      }
      copy = load(job, locked);
      const MutexLock lock(mutex_);
      if (locked) {
        scheduler_.putBack(job.key, clock_.now(), clock_.now());
        return nullptr;
      }
      locked_ = false;
    }
    if (copy) return std::make_unique<OutboundCopy>(job, std::move(*copy));
    const MutexLock lock(mutex_);
    scheduler_.finish(job.key);  // it is gone from the queue
  } catch (const Error& error) {
    log::error("deliver", "a copy cannot be read", {{"copy", job.key}, {"error", error.what()}});
    defer(eventFor(job, Outcome::Deferred, "4.3.0 internal error: the copy cannot be read"), job);
  }
  return nullptr;
}

std::optional<LoadedCopy> Deliverer::load(const Scheduler::Job& job, bool& locked) {
  locked = false;
  try {
    return queue_.load(job.key);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::Unavailable) throw;
    locked = true;
    return std::nullopt;
  }
}

}  // namespace postern::gateway
