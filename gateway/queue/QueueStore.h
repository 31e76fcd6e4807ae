#pragma once
#include "core/app/GatewayLink.h"
#include "core/base/Clock.h"
#include "core/store/SegmentLog.h"
#include "gateway/deliver/CopyQueue.h"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace postern::gateway {

// A waiting copy as it is shown to people.
struct QueueRow {
  CopySummary copy;
  std::string lastReply;  // empty: none yet, or the queue key is not there
};

// Which copies; what is not set fits all.
struct QueueFilter {
  std::string destination;
  std::string trace;  // of one message
  std::optional<bool> held;
  std::optional<TimePoint> queuedBefore;
};

// A place in the queue, by age. The default is before all.
struct QueuePlace {
  std::int64_t queuedAt = INT64_MIN;
  std::uint64_t key = 0;
  auto operator<=>(const QueuePlace&) const = default;
};

// What an administrator wants done to copies.
struct QueueOrder {
  enum class Action : std::uint8_t { Retry, Hold, Release, Drop, Withdraw, Reroute };

  Action action = Action::Retry;
  std::vector<std::uint64_t> keys;
  std::string reason;  // of Drop, for the ledger
  std::string via;     // of Reroute: HOST:PORT; empty: the way of its domain again
};

// The gateway's durable queue: DATA/gateway/{segments/, queue.db}.
//
// Every change is one or more records in the segment log, synced in groups (one fdatasync for all that waits), then
// applied to the index in memory. queue.db holds the index as of a log position, written in the background; at start it
// is read and the log is replayed from there. What comes and goes between two such points costs no SQL.
//
// Invariants: 1. accept() and submitCopies() returned = survives power loss. 2. An accepted id is never used again, nor
// is an event's sequence. 3. A copy key is taken once: a key is remembered while its copy waits, until its final event
// is acknowledged, and beyond that until every message that had been handed out by takeAccepted() when the copy came is
// finished. So listd may resubmit a whole post at any point before finish(); what was delivered is not delivered again.
// 4. Copies, tails and events are sealed with AES-256-GCM under a key derived from the queue key; on disk in clear are
// numbers, times and the destination domain only. Accepted content is sealed to the vault before it comes here.
// 5. When records cannot be written, nothing changes: accept and submitCopies throw, events wait in memory, healthy()
// turns false and deliveries must pause; the writer tries again each second and recovers without a restart.
// Threads: safe for all. Errors: Error(DiskFull), Error(Store), Error(Io); Error(Unavailable) before the queue key is
// set.
class QueueStore : public CopyQueue {
public:
  struct Options {
    std::filesystem::path folder;  // DATA/gateway
    std::uint64_t minFreeSpace = 0;
    std::size_t maxRefusals = 10000;  // refusal events kept for listd; beyond it the oldest go and are counted
    std::uint64_t segmentSize = 64u << 20;
    std::chrono::milliseconds indexInterval{5000};  // how often queue.db is brought up to date
    std::chrono::seconds tailGrace{60};
    std::size_t tailCacheBytes = 64u << 20;
    store::DiskAccess* disk = nullptr;  // null: the real one
  };
  QueueStore(const Options& options, const Clock& clock);
  ~QueueStore() override;
  QueueStore(const QueueStore&) = delete;
  QueueStore& operator=(const QueueStore&) = delete;

  // SMTP side. Waits until durable.
  std::uint64_t accept(std::string sealed);

  // listd's side.
  void setQueueKey(std::string_view key);  // 32 bytes; kept in memory only
  bool unlocked() const;
  std::vector<app::AcceptedItem> takeAccepted(std::uint64_t session, std::uint32_t max, std::chrono::milliseconds wait);
  void sessionEnded(std::uint64_t session);            // what it took and did not finish is given again
  void finish(const std::vector<std::uint64_t>& ids);  // waits until durable
  void finish(std::uint64_t id) { finish(std::vector<std::uint64_t>{id}); }
  // The same tail number with other bytes is another tail: copies that are there keep the one they came with.
  // A tail stays while copies name it, and at least `tailGrace` after it was stored or last named.
  void storeTail(std::uint64_t tail, std::string bytes) { submitCopies({}, {{tail, std::move(bytes)}}); }
  // All or nothing, `tails` first; Error(Malformed) when a new copy names a tail that is not there (store it again).
  void submitCopies(std::vector<app::Copy> copies, std::vector<app::Tail> tails = {});
  std::vector<app::GatewayEvent> takeEvents(std::uint64_t acknowledged, std::uint32_t max,
                                            std::chrono::milliseconds wait);
  app::GatewayStats stats() const;  // sessions and refusedTotal are the SMTP server's to fill in
  // Shows copies that fit, the oldest first, from behind `after` on, until `show` answers false. Takes the lock for
  // some thousands at a time, so that a long queue does not stand still. The place of the last one that was shown or
  // passed over; nothing at the end of the queue.
  std::optional<QueuePlace> walk(const QueueFilter& filter, QueuePlace after,
                                 const std::function<bool(const CopySummary&)>& show) const;
  std::vector<QueueRow> rows(const std::vector<std::uint64_t>& keys) const;  // those that wait, in this order
  // Durable when it returns. The keys that it changed: what has ended, or is in that state already, is not among them.
  std::vector<std::uint64_t> act(const QueueOrder& order);

  // The deliverer's side. To start: setListener, then forEachWaiting; a copy that comes in between is shown by both.
  void setListener(QueueListener* listener) override;  // null: none; returns once no call to the old one is under way
  void forEachWaiting(const std::function<void(const CopySummary&)>& show) const override;  // held ones too
  // Nothing: no longer waiting. Error(Crypto): damaged or other key.
  std::optional<LoadedCopy> load(std::uint64_t key) override;
  // Stores the event and with it the copy's new state: Deferred waits until event.nextAttempt, every other outcome ends
  // the copy. Returns at once; committed in groups, retried while the disk is full.
  void record(app::DeliveryEvent event) override;
  void recordRefusal(app::RefusalEvent event);
  void flush();  // waits until all that was recorded is durable; throws while the store is unhealthy

  // The whole queue as it is at one moment, in FOLDER/backup, which is made anew: a QueueStore opens it like its own.
  // Nothing is written meanwhile; it takes as long as copying the last segment and queue.db.
  void copyForBackup();

  bool healthy() const override;
  std::vector<std::string> problems() const;  // plain sentences for `postern status`

  // Waiting calls return now and from now on: for stopping.
  void wakeAll();

private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace postern::gateway
