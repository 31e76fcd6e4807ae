// The part of Deliverer that records what came of an attempt and counts it.
#include "core/base/Error.h"
#include "core/base/Log.h"
#include "gateway/deliver/Deliverer.h"

namespace postern::gateway {

using Outcome = app::DeliveryEvent::Outcome;

app::DeliveryEvent Deliverer::eventFor(const Scheduler::Job& job, Outcome outcome, std::string_view text) const {
  app::DeliveryEvent event;
  event.copyKey = job.key;
  event.outcome = outcome;
  event.at = clock_.now();
  event.attempt = job.attempts + 1;
  event.replyText = smtp::printable(text);
  return event;
}

// False: the record failed. The copy is then left as it is, out, so that it is not delivered twice.
bool Deliverer::record(app::DeliveryEvent& event) {
  count(event.outcome);
  const auto key = event.copyKey;
  try {
    queue_.record(std::move(event));
    return true;
  } catch (const Error& error) {
    log::error("deliver", "an outcome cannot be recorded; the copy rests until the next start",
               {{"copy", key}, {"error", error.what()}});
    return false;
  }
}

void Deliverer::finish(app::DeliveryEvent event, const Scheduler::Job& job) {
  if (!record(event)) return;
  const MutexLock lock(mutex_);
  scheduler_.finish(job.key);
}

void Deliverer::defer(app::DeliveryEvent event, const Scheduler::Job& job) {
  TimePoint until;
  {
    const MutexLock lock(mutex_);
    until = scheduler_.retryAt(job.attempts + 1, clock_.now());
  }
  event.nextAttempt = until;
  if (!record(event)) return;
  const MutexLock lock(mutex_);
  scheduler_.defer(job.key, until, clock_.now());
  wakeTimer();
}

void Deliverer::putBack(const Scheduler::Job& job) {
  const MutexLock lock(mutex_);
  scheduler_.putBack(job.key, clock_.now(), clock_.now());
  wakeWorker();
}

void Deliverer::count(Outcome outcome) {
  switch (outcome) {
    case Outcome::Delivered:
      ++delivered_;
      break;
    case Outcome::Deferred:
      ++deferred_;
      break;
    case Outcome::Failed:
      ++failed_;
      break;
    case Outcome::Expired:
      ++expired_;
      break;
    case Outcome::Blocked:
      ++blocked_;
      break;
    case Outcome::Dropped:
      break;
  }
}

Deliverer::Counts Deliverer::counts() const {
  return {delivered_, deferred_, failed_, blocked_, expired_};
}

std::vector<std::string> Deliverer::problems() const {
  std::vector<std::string> problems;
  if (const auto blocked = blocked_.load(); blocked > 0)
    problems.push_back(std::to_string(blocked) +
                       " copies were blocked because they did not reach their floor; see the ledger and report it");
  const MutexLock lock(mutex_);
  if (locked_) problems.emplace_back("Nothing is delivered until listd has sent the key of the queue");
  if (!healthy_) problems.emplace_back("Delivery is paused because the queue cannot be written");
  return problems;
}

}  // namespace postern::gateway
