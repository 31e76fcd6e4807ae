#pragma once
#include "core/store/SegmentLog.h"
#include "gateway/queue/IndexStore.h"
#include "gateway/queue/QueueIndex.h"
#include "gateway/queue/QueueSeal.h"
#include "gateway/queue/QueueStore.h"
#include "gateway/queue/QueueWriter.h"
#include "gateway/queue/TailCache.h"

#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <thread>

namespace postern::gateway {

// The inside of QueueStore: its threads and what they share. Two threads of its own: the writer (QueueWriter), which
// alone appends to the log and changes the index, and the index thread, which alone writes queue.db.
// Locks, never held together but for the writer's own: `mutex` for the index, `listenerMutex` while the listener is
// called.
struct QueueStore::Impl {
  Impl(const Options& given, const Clock& time);
  ~Impl();

  // At start: queue.db, then what the log has beyond it.
  void start();
  // In the writer's thread: what was synced takes effect.
  void applied(std::span<const WriteJob> jobs, std::span<const store::RecordRef> refs);
  void tellHealth(bool healthy);

  // The index thread: brings queue.db up to date, drops what nobody needs.
  void keepIndex();
  void forgetTails();
  void saveIndex(std::optional<QueueIndex::Snapshot>& snapshot);
  void setIndexProblem(std::string text);
  void waitBeforeNextTry();

  void writeAndWait(WriteJob job);
  void submitEvent(EventMeta meta);
  void drop(const std::vector<std::uint64_t>& keys, const std::string& why, QueueStore& queue);
  void requireKey() const;  // Error(Unavailable) before it is set

  // Submitting copies.
  struct Submission {
    std::vector<app::Copy> fresh;
    std::vector<std::uint64_t> instances;  // of each fresh copy's tail
    std::vector<std::pair<TailMeta, std::string>> tails;
    std::vector<std::uint64_t> pinned;  // tails that were there, to be held until the copies are
    std::uint64_t generation = 0;
  };
  // Sorts out the copies that are there already, and holds the tails of the others until unpin().
  Submission prepare(std::vector<app::Copy> copies, std::vector<app::Tail> given);
  std::uint64_t instanceInForce(const app::Copy& copy) const;  // under `mutex`
  void pin(std::uint64_t instance, bool on);                   // under `mutex`
  void unpin(const std::vector<std::uint64_t>& instances);
  WriteRecord recordOf(const app::Copy& copy, std::uint64_t instance, std::uint64_t generation, TimePoint now);

  Options options;
  const Clock& clock;
  store::SegmentLog log;
  IndexStore indexStore;  // of start(), then of the index thread
  QueueSeal seal;
  store::LogPosition savedPosition;  // of the index thread

  std::mutex savingMutex;  // held while queue.db is written and what it no longer names is released; before `mutex`

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

std::string encodeEvent(const app::GatewayEvent& event);
// A number of the message with this trace that is the same after a restart; 0: it has none.
std::uint64_t postOf(std::string_view trace);
inline std::uint8_t typeOf(RecordType type) {
  return static_cast<std::uint8_t>(type);
}

}  // namespace postern::gateway
