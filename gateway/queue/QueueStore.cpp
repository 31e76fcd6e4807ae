#include "gateway/queue/QueueStore.h"

#include <condition_variable>
#include <mutex>
#include <thread>

#include "core/base/Codec.h"
#include "core/base/Error.h"
#include "core/base/Files.h"
#include "core/base/Log.h"
#include "gateway/queue/IndexStore.h"
#include "gateway/queue/QueueIndex.h"
#include "gateway/queue/QueueRecords.h"
#include "gateway/queue/QueueSeal.h"
#include "gateway/queue/QueueWriter.h"
#include "gateway/queue/TailCache.h"

namespace postern::gateway {

namespace {

constexpr std::uint64_t IndexAfterBytes = 64u << 20;  // of log since the last time
constexpr std::size_t MaxTakenBytes = 64u << 20;      // in one answer to takeAccepted
constexpr std::size_t MaxEarlyRefusals = 1000;
constexpr std::size_t MaxRecipientsInRefusal = 50;
constexpr std::size_t MaxTextInEvent = 512;

std::string domainOf(std::string_view recipient) {
  std::string domain(recipient.substr(recipient.rfind('@') + 1));
  for (auto& c : domain)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return domain;
}

void cut(std::string& text) {
  if (text.size() > MaxTextInEvent) text.resize(MaxTextInEvent);
}

std::string encodeEvent(app::GatewayEvent event) {
  Writer writer;
  event.encode(writer);
  return std::move(writer).bytes();
}

std::uint8_t typeOf(RecordType type) { return static_cast<std::uint8_t>(type); }

}  // namespace

struct QueueStore::Impl {
  Impl(const Options& given, const Clock& time)
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

  ~Impl() {
    writer.reset();
    {
      std::lock_guard lock(mutex);
      stopping = true;
    }
    indexWake.notify_one();
    indexThread.join();
  }

  static const Options& prepared(const Options& given) {
    files::makePrivateFolder(given.folder);
    return given;
  }

  // ---- start: queue.db, then what the log has beyond it

  void start() {
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

  // ---- in the writer's thread: what was synced takes effect

  void applied(std::span<const WriteJob> jobs, std::span<const store::RecordRef> refs) {
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
    if (changes.accepted) acceptedWake.notify_all();
    if (changes.events) eventsWake.notify_all();
    std::lock_guard lock(listenerMutex);
    if (!listener) return;
    if (!changes.queued.empty()) listener->copiesQueued(changes.queued);
    for (const auto& copy : changes.changed) listener->copyChanged(copy);
    for (const auto key : changes.dropped) listener->copyDropped(key);
  }

  void tellHealth(bool healthy) {
    std::lock_guard lock(listenerMutex);
    if (listener) listener->healthChanged(healthy);
  }

  // ---- the index thread: brings queue.db up to date, drops what nobody needs

  void keepIndex() {
    std::optional<QueueIndex::Snapshot> unsaved;
    for (bool last = false; !last;) {
      std::vector<store::RecordRef> released;
      {
        std::unique_lock lock(mutex);
        indexWake.wait_for(lock, options.indexInterval, [this] { return stopping || logged > IndexAfterBytes; });
        last = stopping;
        index.dropUnusedTails(clock.now(), options.tailGrace, released);
        if (!unsaved) {
          logged = 0;
          unsaved = index.takeSnapshot(position);
        }
      }
      for (const auto& ref : released) log.release(ref);
      saveIndex(unsaved);
      if (unsaved && last) return;  // the log has it all
      if (unsaved) waitBeforeNextTry();
    }
  }

  void saveIndex(std::optional<QueueIndex::Snapshot>& snapshot) {
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

  void setIndexProblem(std::string text) {
    std::lock_guard lock(mutex);
    indexProblem = std::move(text);
  }

  void waitBeforeNextTry() {
    std::unique_lock lock(mutex);
    indexWake.wait_for(lock, std::chrono::seconds(1), [this] { return stopping; });
  }

  // ---- writing

  void writeAndWait(WriteJob job) {
    WriteWaiter waiter;
    job.waiter = &waiter;
    writer->submit(std::move(job));
    waiter.wait();
  }

  void submitEvent(EventMeta meta) {
    WriteJob job;
    job.useReserve = true;
    job.untilDone = true;
    writer->submit(std::move(job), [&](WriteJob& placed) {
      meta.sequence = nextSequence++;  // under the writer's lock: the order of numbers is that of the log
      placed.records.push_back({typeOf(RecordType::Event), meta.encode(), {}});
    });
  }

  // ---- submitting copies

  struct Submission {
    std::vector<app::Copy> fresh;
    std::vector<std::uint64_t> instances;  // of each fresh copy's tail
    std::uint64_t generation = 0;
  };

  // Sorts out the copies that are there already, and holds the tails of the others.
  Submission prepare(std::vector<app::Copy> copies) {
    std::lock_guard lock(mutex);
    Submission submission;
    submission.generation = highestTaken;
    for (auto& copy : copies) {
      if (copy.key == 0) throw Error(ErrorKind::Malformed, "a copy has no key");
      if (index.knows(copy.key)) continue;
      std::uint64_t instance = 0;
      if (copy.tail != 0) {
        const auto found = index.tailInForce.find(copy.tail);
        if (found == index.tailInForce.end())
          throw Error(ErrorKind::Malformed, "copy " + std::to_string(copy.key) + " names tail " +
                                                std::to_string(copy.tail) + ", which is not here: store it again");
        instance = found->second;
      }
      submission.fresh.push_back(std::move(copy));
      submission.instances.push_back(instance);
    }
    for (const auto instance : submission.instances) pin(instance, true);
    return submission;
  }

  void pin(std::uint64_t instance, bool on) {
    const auto tail = index.tails.find(instance);
    if (tail == index.tails.end()) return;
    tail->second.pins += on ? 1 : std::uint64_t(-1);
    tail->second.touched = clock.now();
  }

  void unpin(const std::vector<std::uint64_t>& instances) {
    std::lock_guard lock(mutex);
    for (const auto instance : instances) pin(instance, false);
  }

  WriteRecord recordOf(const app::Copy& copy, std::uint64_t instance, std::uint64_t generation, TimePoint now) {
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
    Writer secret;
    secret.string(copy.mailFrom).string(copy.recipient).string(copy.head);
    return {typeOf(RecordType::Copy), meta.encode(),
            seal.seal(secret.bytes(),
                      copySealContext(copy.key, instance, copy.kind, copy.protection, copy.floor))};
  }

  void requireKey() const {
    if (!seal.hasKey())
      throw Error(ErrorKind::Unavailable, "the queue key has not been given yet: listd is not connected");
  }

  Options options;
  const Clock& clock;
  store::SegmentLog log;
  IndexStore indexStore;  // of start(), then of the index thread
  QueueSeal seal;
  store::LogPosition savedPosition;  // of the index thread

  mutable std::mutex mutex;  // guards what follows
  std::condition_variable acceptedWake, eventsWake, indexWake;
  QueueIndex index;
  store::LogPosition position;
  std::uint64_t logged = 0;
  std::uint64_t highestTaken = 0;
  std::deque<app::RefusalEvent> earlyRefusals;
  std::uint64_t earlyRefusalsDropped = 0;
  std::string indexProblem;
  std::uint64_t unreadable = 0;  // accepted messages whose content could not be read
  bool stopping = false;
  bool woken = false;

  std::atomic<std::uint64_t> nextId{1};
  std::atomic<std::uint64_t> nextInstance{1};
  std::uint64_t nextSequence = 1;  // under the writer's lock

  std::mutex listenerMutex;
  QueueListener* listener = nullptr;

  TailCache tailCache;
  std::optional<QueueWriter> writer;
  std::thread indexThread;
};

QueueStore::QueueStore(const Options& options, const Clock& clock) : impl_(std::make_unique<Impl>(options, clock)) {}
QueueStore::~QueueStore() { wakeAll(); }

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

bool QueueStore::unlocked() const { return impl_->seal.hasKey(); }

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

void QueueStore::finish(std::uint64_t id) {
  {
    std::lock_guard lock(impl_->mutex);
    if (!impl_->index.accepted.contains(id)) return;
  }
  WriteJob job;
  job.useReserve = true;
  job.records.push_back({typeOf(RecordType::Finished), encodeNumber(id), {}});
  impl_->writeAndWait(std::move(job));
}

void QueueStore::storeTail(std::uint64_t tail, std::string_view bytes) {
  impl_->requireKey();
  if (tail == 0) throw Error(ErrorKind::Malformed, "tail 0 means none");
  TailMeta meta{impl_->nextInstance++, tail, 0};
  {
    std::lock_guard lock(impl_->mutex);
    meta.generation = impl_->highestTaken;
  }
  WriteJob job;
  job.records.push_back({typeOf(RecordType::Tail), meta.encode(), impl_->seal.seal(bytes, meta.sealContext())});
  impl_->writeAndWait(std::move(job));
}

void QueueStore::submitCopies(std::vector<app::Copy> copies) {
  impl_->requireKey();
  const auto submission = impl_->prepare(std::move(copies));
  if (submission.fresh.empty()) return;
  try {
    const auto now = impl_->clock.now();
    WriteJob job;
    job.records.reserve(submission.fresh.size());
    for (std::size_t i = 0; i < submission.fresh.size(); ++i)
      job.records.push_back(
          impl_->recordOf(submission.fresh[i], submission.instances[i], submission.generation, now));
    impl_->writeAndWait(std::move(job));
  } catch (const Error&) {
    impl_->unpin(submission.instances);
    throw;
  }
  impl_->unpin(submission.instances);
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
    impl_->eventsWake.wait_for(lock, wait, [&] {
      return impl_->woken || events.upper_bound(acknowledged) != events.end();
    });
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

std::vector<app::QueueEntry> QueueStore::queueList(std::uint32_t max) const {
  std::vector<app::QueueEntry> entries;
  std::vector<std::string> lastEvents;
  {
    std::lock_guard lock(impl_->mutex);
    for (const auto& [queuedAt, key] : impl_->index.byAge) {
      if (entries.size() == max) break;
      const auto& copy = impl_->index.copies.at(key);
      entries.push_back({key, *copy.destination, copy.state == CopyEntry::State::Held ? "held" : "waiting",
                         copy.attempts, fromMicros(queuedAt), fromMicros(copy.notBefore), {}});
      lastEvents.push_back(copy.lastEvent);
    }
  }
  if (!unlocked()) return entries;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (lastEvents[i].empty()) continue;
    const auto bytes = impl_->seal.open(lastEvents[i], eventSealContext(entries[i].copyKey));
    Reader reader(bytes);
    const auto event = app::GatewayEvent::decode(reader);
    entries[i].lastReply = std::get<app::DeliveryEvent>(event.what).replyText;
  }
  return entries;
}

std::uint64_t QueueStore::queueAct(std::string_view action, std::uint64_t copyKey) {
  const auto now = impl_->clock.now();
  std::vector<std::uint64_t> keys;
  {
    std::lock_guard lock(impl_->mutex);
    for (const auto& [queuedAt, key] : impl_->index.byAge) {
      const bool held = impl_->index.copies.at(key).state == CopyEntry::State::Held;
      if ((copyKey == 0 || key == copyKey) && (action == "drop" || held == (action == "release"))) keys.push_back(key);
    }
  }
  if (action == "drop") {
    for (const auto key : keys) {
      app::DeliveryEvent event;
      event.copyKey = key;
      event.outcome = app::DeliveryEvent::Outcome::Dropped;
      event.at = now;
      event.replyText = "dropped by order";
      record(std::move(event));
    }
    flush();
    return keys.size();
  }
  ChangeMeta meta{ChangeMeta::Action::Retry, copyKey, toMicros(now)};
  if (action == "hold")
    meta.action = ChangeMeta::Action::Hold;
  else if (action == "release")
    meta.action = ChangeMeta::Action::Release;
  else if (action != "retry")
    throw Error(ErrorKind::Malformed, "the queue does not know the action \"" + std::string(action) + "\"");
  if (keys.empty()) return 0;
  WriteJob job;
  job.useReserve = true;
  job.records.push_back({typeOf(RecordType::Change), meta.encode(), {}});
  impl_->writeAndWait(std::move(job));
  return keys.size();
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
    const auto bytes = impl_->seal.open(
        impl_->log.read(copy.ref), copySealContext(key, copy.tailInstance, copy.kind, copy.protection, copy.floor));
    Reader reader(bytes);
    loaded.mailFrom = reader.string();
    loaded.recipient = reader.string();
    loaded.head = reader.string();
    loaded.kind = copy.kind;
    loaded.protection = copy.protection;
    loaded.floor = copy.floor;
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

bool QueueStore::healthy() const { return impl_->writer->healthy(); }

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
