#include "gateway/queue/QueueStore.h"

#include "core/base/Codec.h"
#include "core/base/Error.h"
#include "core/base/Files.h"
#include "core/base/Log.h"
#include "core/store/Database.h"
#include "gateway/queue/QueueStoreImpl.h"

// The sides of SMTP and of listd; the deliverer's is in QueueStoreDelivery.cpp.
namespace postern::gateway {

namespace {
constexpr std::size_t MaxTakenBytes = 8u << 20;  // in one answer to takeAccepted, and the message that goes beyond
}

QueueStore::QueueStore(const Options& options, const Clock& clock) : impl_(std::make_unique<Impl>(options, clock)) {}
QueueStore::~QueueStore() {
  wakeAll();
}

std::uint64_t QueueStore::accept(std::string sealed) {
  const auto id = impl_->nextId++;
  WriteJob job;
  job.records.push_back({typeOf(RecordType::Accepted), encodeNumber(id), std::move(sealed)});
  impl_->writeAndWait(std::move(job));
  return id;
}

void QueueStore::setQueueKey(std::string_view key) {
  impl_->seal.setKey(key);
  std::deque<app::RefusalEvent> early;
  {
    std::lock_guard lock(impl_->mutex);
    early.swap(impl_->earlyRefusals);
  }
  for (auto& refusal : early) recordRefusal(std::move(refusal));
  std::lock_guard lock(impl_->listenerMutex);
  if (impl_->listener) impl_->listener->queueKeySet();
}

void QueueStore::copyForBackup() {
  const auto folder = impl_->options.folder / "backup";
  const std::lock_guard saving(impl_->savingMutex);  // also one copy at a time
  std::filesystem::remove_all(folder);
  files::makePrivateFolder(folder);
  WriteJob job;
  job.still = [&] {
    store::Database::openReader(impl_->options.folder / "queue.db").backupTo(folder / "queue.db");
    impl_->log.copyFilesTo(folder / "segments");
  };
  impl_->writeAndWait(std::move(job));
}

bool QueueStore::unlocked() const {
  return impl_->seal.hasKey();
}

std::vector<app::AcceptedItem> QueueStore::takeAccepted(std::uint64_t session, std::uint32_t max,
                                                        std::chrono::milliseconds wait) {
  std::vector<std::pair<std::uint64_t, store::RecordRef>> taken;
  {
    std::unique_lock lock(impl_->mutex);
    auto& index = impl_->index;
    impl_->acceptedWake.wait_for(lock, wait, [&] { return impl_->woken || !index.untaken.empty(); });
    std::size_t bytes = 0;
    while (!index.untaken.empty() && taken.size() < max && bytes < MaxTakenBytes) {
      const auto id = *index.untaken.begin();
      auto& entry = index.accepted.at(id);
      entry.takenBy = session;
      index.untaken.erase(index.untaken.begin());
      impl_->highestTaken = std::max(impl_->highestTaken, id);
      bytes += entry.ref.length;
      taken.emplace_back(id, entry.ref);
    }
    if (!index.untaken.empty()) impl_->acceptedWake.notify_one();  // for the next who waits
  }
  std::vector<app::AcceptedItem> items;
  for (const auto& [id, ref] : taken) {
    try {
      items.push_back({id, impl_->log.read(ref)});
    } catch (const Error& error) {
      // One rotten message must not stop the others. It stays in the queue, is shown in the status and tried again.
      log::error("queue", "an accepted message cannot be read", {{"id", id}, {"reason", error.what()}});
      std::lock_guard lock(impl_->mutex);
      ++impl_->unreadable;
    }
  }
  return items;
}

void QueueStore::sessionEnded(std::uint64_t session) {
  {
    std::lock_guard lock(impl_->mutex);
    for (auto& [id, entry] : impl_->index.accepted) {
      if (entry.takenBy != session) continue;
      entry.takenBy = 0;
      impl_->index.untaken.insert(id);
    }
  }
  impl_->acceptedWake.notify_all();
}

void QueueStore::finish(const std::vector<std::uint64_t>& ids) {
  WriteJob job;
  job.useReserve = true;
  {
    std::lock_guard lock(impl_->mutex);
    for (const auto id : ids)
      if (impl_->index.accepted.contains(id))
        job.records.push_back({typeOf(RecordType::Finished), encodeNumber(id), {}});
  }
  if (job.records.empty()) return;
  impl_->writeAndWait(std::move(job));
}

void QueueStore::submitCopies(std::vector<app::Copy> copies, std::vector<app::Tail> tails) {
  impl_->requireKey();
  const auto submission = impl_->prepare(std::move(copies), std::move(tails));
  if (submission.fresh.empty() && submission.tails.empty()) return;
  try {
    const auto now = impl_->clock.now();
    WriteJob job;
    job.records.reserve(submission.tails.size() + submission.fresh.size());
    for (const auto& [meta, bytes] : submission.tails)
      job.records.push_back({typeOf(RecordType::Tail), meta.encode(), impl_->seal.seal(bytes, meta.sealContext())});
    for (std::size_t i = 0; i < submission.fresh.size(); ++i)
      job.records.push_back(impl_->recordOf(submission.fresh[i], submission.instances[i], submission.generation, now));
    impl_->writeAndWait(std::move(job));
  } catch (const Error&) {
    impl_->unpin(submission.pinned);
    throw;
  }
  impl_->unpin(submission.pinned);
}

std::vector<app::GatewayEvent> QueueStore::takeEvents(std::uint64_t acknowledged, std::uint32_t max,
                                                      std::chrono::milliseconds wait) {
  impl_->requireKey();
  std::vector<std::pair<std::uint64_t, EventEntry>> taken;
  bool acknowledgesSome = false;
  {
    std::unique_lock lock(impl_->mutex);
    const auto& events = impl_->index.events;
    acknowledgesSome = !events.empty() && events.begin()->first <= acknowledged;
  }
  if (acknowledgesSome) {
    WriteJob job;  // not waited for: an acknowledgement that is lost comes again
    job.useReserve = true;
    job.records.push_back({typeOf(RecordType::Acknowledged), encodeNumber(acknowledged), {}});
    impl_->writer->submit(std::move(job));
  }
  {
    std::unique_lock lock(impl_->mutex);
    const auto& events = impl_->index.events;
    impl_->eventsWake.wait_for(lock, wait,
                               [&] { return impl_->woken || events.upper_bound(acknowledged) != events.end(); });
    for (auto it = events.upper_bound(acknowledged); it != events.end() && taken.size() < max; ++it)
      taken.emplace_back(*it);
  }
  std::vector<app::GatewayEvent> result;
  result.reserve(taken.size());
  for (const auto& [sequence, entry] : taken) {
    const auto bytes = impl_->seal.open(entry.body, eventSealContext(entry.copyKey));
    Reader reader(bytes);
    result.push_back(app::GatewayEvent::decode(reader));
    result.back().sequence = sequence;
  }
  return result;
}

}  // namespace postern::gateway
