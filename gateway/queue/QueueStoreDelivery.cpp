#include "core/base/Codec.h"
#include "core/base/Error.h"
#include "gateway/deliver/OutcomeLine.h"
#include "gateway/queue/QueueStoreImpl.h"

// QueueStore: the deliverer's side, orders and status.
namespace postern::gateway {

namespace {

constexpr std::size_t MaxEarlyRefusals = 1000;
constexpr std::size_t MaxRecipientsInRefusal = 50;
constexpr std::size_t MaxTextInEvent = 512;

void cut(std::string& text) {
  if (text.size() > MaxTextInEvent) text.resize(MaxTextInEvent);
}

}  // namespace

app::GatewayStats QueueStore::stats() const {
  app::GatewayStats stats;
  {
    std::lock_guard lock(impl_->mutex);
    const auto& index = impl_->index;
    stats.acceptedTotal = index.counters.accepted;
    stats.deliveredTotal = index.counters.delivered;
    stats.deferredTotal = index.counters.deferred;
    stats.waitingAccepted = index.accepted.size();
    stats.queued = index.byAge.size() - index.held;
    stats.held = index.held;
    if (!index.byAge.empty()) stats.oldestQueued = fromMicros(index.byAge.begin()->first);
  }
  stats.freeBytes = impl_->log.freeSpace();
  stats.problems = problems();
  return stats;
}

void QueueStore::setListener(QueueListener* listener) {
  std::lock_guard lock(impl_->listenerMutex);
  impl_->listener = listener;
}

void QueueStore::forEachWaiting(const std::function<void(const CopySummary&)>& show) const {
  std::vector<CopySummary> waiting;
  {
    std::lock_guard lock(impl_->mutex);
    waiting.reserve(impl_->index.byAge.size());
    for (const auto& [queuedAt, key] : impl_->index.byAge)
      waiting.push_back(impl_->index.summary(key, impl_->index.copies.at(key)));
  }
  for (const auto& copy : waiting) show(copy);
}

std::optional<LoadedCopy> QueueStore::load(std::uint64_t key) {
  impl_->requireKey();
  CopyEntry copy;
  store::RecordRef tailRef;
  const auto find = [&] {
    std::lock_guard lock(impl_->mutex);
    const auto found = impl_->index.copies.find(key);
    if (found == impl_->index.copies.end() || found->second.done()) return false;
    copy = found->second;
    const auto tail = impl_->index.tails.find(copy.tailInstance);
    if (tail != impl_->index.tails.end()) tailRef = tail->second.ref;
    return true;
  };
  if (!find()) return std::nullopt;
  try {
    LoadedCopy loaded;
    const auto bytes =
        impl_->seal.open(impl_->log.read(copy.ref),
                         copySealContext(key, copy.tailInstance, copy.kind, copy.protection, copy.floor, copy.tlsAsk));
    Reader reader(bytes);
    loaded.mailFrom = reader.string();
    loaded.recipient = reader.string();
    loaded.head = reader.string();
    if (!reader.atEnd()) loaded.trace = reader.string();  // older releases wrote none
    loaded.kind = copy.kind;
    loaded.protection = copy.protection;
    loaded.floor = copy.floor;
    loaded.tlsAsk = copy.tlsAsk;
    static const auto noTail = std::make_shared<const std::string>();
    loaded.tail = copy.tailInstance == 0 ? noTail : impl_->tailCache.get(copy.tailInstance, [&] {
      if (!tailRef) throw Error(ErrorKind::Store, "the tail of copy " + std::to_string(key) + " is missing");
      return impl_->seal.open(impl_->log.read(tailRef), TailMeta{copy.tailInstance, 0, 0}.sealContext());
    });
    return loaded;
  } catch (const Error&) {
    if (!find()) return std::nullopt;  // it ended while we read
    throw;
  }
}

void QueueStore::record(app::DeliveryEvent event) {
  cut(event.replyText);
  cut(event.remoteHost);
  cut(event.remoteAddress);
  cut(event.tls.peerName);
  cut(event.tls.verification);
  EventMeta meta;
  meta.copyKey = event.copyKey;
  meta.outcome = event.outcome;
  meta.attempt = event.attempt;
  meta.nextAttempt = toMicros(event.nextAttempt);
  meta.sealed = impl_->seal.seal(encodeEvent({0, std::move(event)}), eventSealContext(meta.copyKey));
  impl_->submitEvent(std::move(meta));
}

void QueueStore::recordRefusal(app::RefusalEvent event) {
  if (event.recipients.size() > MaxRecipientsInRefusal) event.recipients.resize(MaxRecipientsInRefusal);
  for (auto& recipient : event.recipients) cut(recipient);
  for (auto* text : {&event.clientAddress, &event.mailFrom, &event.enhanced, &event.reason, &event.policy}) cut(*text);
  if (!impl_->seal.hasKey()) {
    // Without a key it would lie readable on disk: it waits in memory.
    std::lock_guard lock(impl_->mutex);
    impl_->earlyRefusals.push_back(std::move(event));
    if (impl_->earlyRefusals.size() <= MaxEarlyRefusals) return;
    impl_->earlyRefusals.pop_front();
    ++impl_->earlyRefusalsDropped;
    return;
  }
  if (!impl_->writer->healthy() || impl_->log.freeSpace() < impl_->options.minFreeSpace) {
    // The reserve is for deliveries; a flood of refusals must not eat it.
    std::lock_guard lock(impl_->mutex);
    ++impl_->earlyRefusalsDropped;
    return;
  }
  EventMeta meta;
  meta.refusal = true;
  meta.sealed = impl_->seal.seal(encodeEvent({0, std::move(event)}), eventSealContext(0));
  impl_->submitEvent(std::move(meta));
}

void QueueStore::flush() {
  WriteJob job;
  job.useReserve = true;
  impl_->writeAndWait(std::move(job));
}

bool QueueStore::healthy() const {
  return impl_->writer->healthy();
}

std::vector<std::string> QueueStore::problems() const {
  std::vector<std::string> problems;
  const auto broken = impl_->writer->problem();
  const auto free = impl_->log.freeSpace();
  if (!broken.empty())
    problems.push_back("The queue cannot be written, so nothing is accepted and deliveries pause: " + broken);
  else if (free < impl_->options.minFreeSpace)
    problems.push_back("The data disk has " + std::to_string(free >> 20) + " MB free, less than the reserve of " +
                       std::to_string(impl_->options.minFreeSpace >> 20) + " MB, so no mail is accepted" +
                       (healthy() ? "." : " and deliveries pause."));
  if (impl_->log.damaged() > 0)
    problems.push_back(std::to_string(impl_->log.damaged()) + " records of the queue on disk are damaged.");
  std::lock_guard lock(impl_->mutex);
  if (!impl_->indexProblem.empty()) problems.push_back("queue.db cannot be written: " + impl_->indexProblem);
  if (impl_->unreadable > 0)
    problems.push_back(std::to_string(impl_->unreadable) + " accepted messages could not be read from disk.");
  const auto lost = impl_->index.counters.refusalsDropped + impl_->earlyRefusalsDropped;
  if (lost > 0) problems.push_back(std::to_string(lost) + " refusals came too fast to be kept for the log.");
  return problems;
}

void QueueStore::wakeAll() {
  {
    std::lock_guard lock(impl_->mutex);
    impl_->woken = true;
  }
  impl_->acceptedWake.notify_all();
  impl_->eventsWake.notify_all();
}

}  // namespace postern::gateway
