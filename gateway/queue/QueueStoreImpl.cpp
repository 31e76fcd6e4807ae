#include "gateway/queue/QueueStoreImpl.h"

#include "core/base/Codec.h"
#include "core/base/Error.h"
#include "core/base/Files.h"
#include "core/base/Log.h"

namespace postern::gateway {

namespace {

constexpr std::uint64_t IndexAfterBytes = 64u << 20;  // of log since the last time

const QueueStore::Options& prepared(const QueueStore::Options& given) {
  files::makePrivateFolder(given.folder);
  return given;
}

std::string domainOf(std::string_view recipient) {
  std::string domain(recipient.substr(recipient.rfind('@') + 1));
  for (auto& c : domain)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return domain;
}

}  // namespace

std::string encodeEvent(const app::GatewayEvent& event) {
  Writer writer;
  event.encode(writer);
  return std::move(writer).bytes();
}

QueueStore::Impl::Impl(const Options& given, const Clock& time)
    : options(prepared(given)),
      clock(time),
      log(options.folder / "segments", {.segmentSize = options.segmentSize, .minFreeSpace = options.minFreeSpace},
          options.disk),
      indexStore(options.folder / "queue.db"),
      index(options.maxRefusals),
      tailCache(options.tailCacheBytes) {
  start();
  writer.emplace(
      log, options.minFreeSpace,
      [this](std::span<const WriteJob> jobs, std::span<const store::RecordRef> refs) { applied(jobs, refs); },
      [this](bool healthy) { tellHealth(healthy); });
  indexThread = std::thread([this] { keepIndex(); });
}

QueueStore::Impl::~Impl() {
  writer.reset();
  {
    std::lock_guard lock(mutex);
    stopping = true;
  }
  indexWake.notify_one();
  indexThread.join();
}

void QueueStore::Impl::start() {
  const auto from = indexStore.load(index, clock.now());
  if (log.end() < from)
    throw Error(ErrorKind::Store, "the segment log in " + (options.folder / "segments").string() +
                                      " ends before the queue's index does: part of it is missing. Restore it, or "
                                      "move queue.db away to start from what the log has");
  QueueIndex::Changes ignored;
  position = log.scan(from, [&](const store::SegmentLog::ScannedRecord& record) {
    try {
      index.apply(record.type, record.meta, record.ref, clock.now(), ignored);
    } catch (const Error& error) {
      log::error("queue", "a record of the queue does not parse and was skipped", {{"reason", error.what()}});
    }
  });
  for (const auto& [id, entry] : index.accepted) log.retain(entry.ref);
  for (const auto& [instance, tail] : index.tails) log.retain(tail.ref);
  for (const auto& [key, copy] : index.copies)
    if (!copy.done()) log.retain(copy.ref);
  index.counters = {};
  nextId = index.nextId;
  nextInstance = index.nextInstance;
  nextSequence = index.nextSequence;
  // listd may still be at work on anything handed out before we started.
  highestTaken = index.nextId - 1;
  log.allowReclaim(from);
}

void QueueStore::Impl::applied(std::span<const WriteJob> jobs, std::span<const store::RecordRef> refs) {
  QueueIndex::Changes changes;
  {
    std::lock_guard lock(mutex);
    const auto now = clock.now();
    std::size_t i = 0;
    for (const auto& job : jobs)
      for (const auto& record : job.records) index.apply(record.type, record.meta, refs[i++], now, changes);
    position = log.end();
    for (const auto& job : jobs)
      for (const auto& record : job.records) logged += record.meta.size() + record.body.size();
  }
  for (const auto& ref : changes.released) log.release(ref);
  if (changes.accepted) acceptedWake.notify_one();
  if (changes.events) eventsWake.notify_all();
  std::lock_guard lock(listenerMutex);
  if (!listener) return;
  if (!changes.queued.empty()) listener->copiesQueued(changes.queued);
  for (const auto& copy : changes.changed) listener->copyChanged(copy);
  for (const auto key : changes.dropped) listener->copyDropped(key);
}

void QueueStore::Impl::tellHealth(bool healthy) {
  std::lock_guard lock(listenerMutex);
  if (listener) listener->healthChanged(healthy);
}

void QueueStore::Impl::keepIndex() {
  std::optional<QueueIndex::Snapshot> unsaved;
  std::vector<store::RecordRef> released;  // only once queue.db does not name them any more
  for (bool last = false; !last;) {
    {
      std::unique_lock lock(mutex);
      indexWake.wait_for(lock, options.indexInterval, [this] { return stopping || logged > IndexAfterBytes; });
      last = stopping;
      if (!unsaved) {
        index.dropUnusedTails(clock.now(), options.tailGrace, released);
        logged = 0;
        unsaved = index.takeSnapshot(position);
      }
    }
    forgetTails();
    {
      const std::lock_guard saving(savingMutex);
      saveIndex(unsaved);
      if (!unsaved) {
        for (const auto& ref : released) log.release(ref);
        released.clear();
      }
    }
    if (unsaved && last) return;  // the log has it all
    if (unsaved) waitBeforeNextTry();
  }
}

// A tail that is asked for after all is opened again.
void QueueStore::Impl::forgetTails() {
  auto unused = tailCache.instances();
  {
    const std::lock_guard lock(mutex);
    std::erase_if(unused, [this](std::uint64_t instance) {
      const auto tail = index.tails.find(instance);
      return tail != index.tails.end() && (tail->second.copies > 0 || tail->second.pins > 0);
    });
  }
  tailCache.forget(unused);
}

void QueueStore::Impl::saveIndex(std::optional<QueueIndex::Snapshot>& snapshot) {
  try {
    if (snapshot->position != savedPosition || !snapshot->empty()) indexStore.save(*snapshot);
    savedPosition = snapshot->position;
    log.allowReclaim(snapshot->position);
    snapshot.reset();
    setIndexProblem({});
  } catch (const Error& error) {
    log::error("queue", "queue.db cannot be brought up to date; the log keeps all until it can",
               {{"reason", error.what()}});
    setIndexProblem(error.what());
  }
}

void QueueStore::Impl::setIndexProblem(std::string text) {
  std::lock_guard lock(mutex);
  indexProblem = std::move(text);
}

void QueueStore::Impl::waitBeforeNextTry() {
  std::unique_lock lock(mutex);
  indexWake.wait_for(lock, std::chrono::seconds(1), [this] { return stopping; });
}

void QueueStore::Impl::writeAndWait(WriteJob job) {
  WriteWaiter waiter;
  job.waiter = &waiter;
  writer->submit(std::move(job));
  waiter.wait();
}

void QueueStore::Impl::submitEvent(EventMeta meta) {
  WriteJob job;
  job.useReserve = true;
  job.untilDone = true;
  writer->submit(std::move(job), [&](WriteJob& placed) {
    meta.sequence = nextSequence++;  // under the writer's lock: the order of numbers is that of the log
    placed.records.push_back({typeOf(RecordType::Event), meta.encode(), {}});
  });
}

QueueStore::Impl::Submission QueueStore::Impl::prepare(std::vector<app::Copy> copies, std::vector<app::Tail> given) {
  std::lock_guard lock(mutex);
  Submission submission;
  submission.generation = highestTaken;
  std::map<std::uint64_t, std::uint64_t> fresh;  // instances of the tails that come with these copies
  for (auto& tail : given) {
    if (tail.id == 0) throw Error(ErrorKind::Malformed, "tail 0 means none");
    const auto instance = nextInstance++;
    fresh[tail.id] = instance;
    submission.tails.push_back({TailMeta{instance, tail.id, highestTaken}, std::move(tail.bytes)});
  }
  for (auto& copy : copies) {
    if (copy.key == 0) throw Error(ErrorKind::Malformed, "a copy has no key");
    if (index.knows(copy.key)) continue;
    std::uint64_t instance = 0;
    if (const auto found = fresh.find(copy.tail); found != fresh.end()) {
      instance = found->second;
    } else if (copy.tail != 0) {
      instance = instanceInForce(copy);
      submission.pinned.push_back(instance);
    }
    submission.fresh.push_back(std::move(copy));
    submission.instances.push_back(instance);
  }
  for (const auto instance : submission.pinned) pin(instance, true);
  return submission;
}

void QueueStore::Impl::pin(std::uint64_t instance, bool on) {
  const auto tail = index.tails.find(instance);
  if (tail == index.tails.end()) return;
  tail->second.pins += on ? 1 : std::uint64_t(-1);
  tail->second.touched = clock.now();
}

void QueueStore::Impl::unpin(const std::vector<std::uint64_t>& instances) {
  std::lock_guard lock(mutex);
  for (const auto instance : instances) pin(instance, false);
}

std::uint64_t QueueStore::Impl::instanceInForce(const app::Copy& copy) const {
  const auto found = index.tailInForce.find(copy.tail);
  if (found == index.tailInForce.end())
    throw Error(ErrorKind::Malformed, "copy " + std::to_string(copy.key) + " names tail " + std::to_string(copy.tail) +
                                          ", which is not here: store it again");
  return found->second;
}

// FNV-1a: the same after a restart, and tells nothing of the message that its trace does not.
std::uint64_t postOf(std::string_view trace) {
  if (trace.empty()) return 0;
  std::uint64_t hash = 14695981039346656037U;
  for (const char c : trace) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211U;
  return hash >> 1 | 1;  // fits into a signed column, and is never 0
}

WriteRecord QueueStore::Impl::recordOf(const app::Copy& copy, std::uint64_t instance, std::uint64_t generation,
                                       TimePoint now) {
  CopyMeta meta;
  meta.key = copy.key;
  meta.tailInstance = instance;
  meta.kind = copy.kind;
  meta.protection = copy.protection;
  meta.floor = copy.floor;
  meta.destination = domainOf(copy.recipient);
  meta.queuedAt = toMicros(now);
  meta.expiresAt = toMicros(copy.expiresAt);
  meta.generation = generation;
  meta.tlsAsk = copy.tlsAsk;
  meta.post = postOf(copy.trace);
  Writer secret;
  secret.string(copy.mailFrom).string(copy.recipient).string(copy.head).string(copy.trace);
  return {typeOf(RecordType::Copy), meta.encode(),
          seal.seal(secret.bytes(),
                    copySealContext(copy.key, instance, copy.kind, copy.protection, copy.floor, copy.tlsAsk))};
}

void QueueStore::Impl::requireKey() const {
  if (!seal.hasKey())
    throw Error(ErrorKind::Unavailable, "the queue key has not been given yet: listd is not connected");
}

}  // namespace postern::gateway
