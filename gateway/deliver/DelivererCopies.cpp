// The part of Deliverer that loads copies from the queue, and shows what is under way.
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

// The last look before a copy is sent. One that is held or goes another way is put back.
bool Deliverer::mayLeave(const Scheduler::Job& job) {
  const MutexLock lock(mutex_);
  if (scheduler_.mayLeave(job)) return true;
  scheduler_.putBack(job.key, clock_.now(), clock_.now());
  wakeWorker();
  return false;
}

// ---- for people to look at ----

std::vector<Scheduler::Look> Deliverer::look(std::span<const std::uint64_t> keys) const {
  std::vector<Scheduler::Look> looks;
  looks.reserve(keys.size());
  const MutexLock lock(mutex_);
  for (const auto key : keys) looks.push_back(scheduler_.look(key));
  return looks;
}

std::vector<std::uint64_t> Deliverer::underWay() const {
  const MutexLock lock(mutex_);
  return {scheduler_.out().begin(), scheduler_.out().end()};
}

Deliverer::DestinationState Deliverer::lookAt(const std::string& domain) const {
  const MutexLock lock(mutex_);
  DestinationState state{scheduler_.lookAt(domain), std::nullopt};
  if (const auto found = answers_.find(domain); found != answers_.end()) state.lastAnswer = found->second;
  return state;
}

}  // namespace postern::gateway
