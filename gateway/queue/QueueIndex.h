#pragma once
#include "core/store/SegmentLog.h"
#include "gateway/queue/KeyMemory.h"
#include "gateway/queue/QueueRecords.h"
#include "gateway/queue/QueueStore.h"

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace postern::gateway {

// Is the row in queue.db, and as it is here?
struct Tracked {
  bool stored = false;
  bool dirty = false;
};

struct AcceptedEntry : Tracked {
  store::RecordRef ref;
  std::uint64_t takenBy = 0;  // session; 0: none
};

struct TailEntry : Tracked {
  std::uint64_t tail = 0;
  std::uint64_t generation = 0;
  store::RecordRef ref;
  std::uint64_t copies = 0;  // that name it and are not finished
  std::uint64_t pins = 0;    // submissions under way that name it
  TimePoint touched;
};

struct CopyEntry : Tracked {
  enum class State : std::uint8_t { Waiting = 0, Held = 1, Finished = 2, Dropped = 3 };
  std::uint64_t tailInstance = 0;
  const std::string* destination = nullptr;  // one string per domain, owned by the index
  const std::string* via = nullptr;          // likewise; null: the way of its domain
  app::Copy::Kind kind = app::Copy::Kind::Content;
  app::Protection protection = app::Protection::None;
  app::Protection floor = app::Protection::None;
  app::TlsAsk tlsAsk = app::TlsAsk::Usual;
  State state = State::Waiting;
  std::uint32_t attempts = 0;
  std::int64_t queuedAt = 0;
  std::int64_t notBefore = 0;
  std::int64_t expiresAt = 0;
  std::uint64_t generation = 0;
  std::uint64_t post = 0;
  std::string lastEvent;  // sealed, of a deferred copy
  store::RecordRef ref;

  bool done() const { return state == State::Finished || state == State::Dropped; }
};

struct EventEntry : Tracked {
  enum class Kind : std::uint8_t { Delivery = 0, Final = 1, Refusal = 2 };
  std::uint64_t copyKey = 0;
  Kind kind = Kind::Delivery;
  std::string body;  // sealed
};

// The queue in memory: what the records of the log, applied in order, amount to. Applying is the only way it changes,
// so that a replay after a crash gives the same state; a record that was applied already changes nothing more. Threads:
// those of its owner (QueueStore, under its lock).
class QueueIndex {
public:
  // What a record changed, for the listener and the log.
  struct Changes {
    std::vector<CopySummary> queued;
    std::vector<CopySummary> changed;
    std::vector<std::uint64_t> dropped;
    std::vector<store::RecordRef> released;
    bool accepted = false;
    bool events = false;
  };
  struct Counters {
    std::uint64_t accepted = 0, delivered = 0, deferred = 0, refusalsDropped = 0;
  };
  // The rows that changed since the last one, and the position in the log that they stand for.
  struct Snapshot {
    store::LogPosition position;
    std::uint64_t nextId = 0, nextSequence = 0, nextInstance = 0;
    std::vector<std::pair<std::uint64_t, AcceptedEntry>> accepted;
    std::vector<std::pair<std::uint64_t, TailEntry>> tails;
    std::vector<std::pair<std::uint64_t, CopyEntry>> copies;
    std::vector<std::pair<std::uint64_t, EventEntry>> events;
    std::vector<std::uint64_t> removedAccepted, removedTails, removedCopies, removedEvents;
    bool memoryChanged = false;
    std::map<std::uint64_t, KeyMemory::Range> memory;
    bool empty() const;
  };

  explicit QueueIndex(std::size_t maxRefusals) : maxRefusals_(maxRefusals) {}

  void apply(std::uint8_t type, std::string_view meta, const store::RecordRef& ref, TimePoint now, Changes& changes);
  Snapshot takeSnapshot(store::LogPosition position);
  // Drops tails that nothing can name any more (see QueueStore::storeTail).
  void dropUnusedTails(TimePoint now, std::chrono::seconds grace, std::vector<store::RecordRef>& released);

  bool knows(std::uint64_t copyKey) const { return copies.contains(copyKey) || memory.contains(copyKey); }
  std::uint64_t lowestUnfinished() const { return accepted.empty() ? nextId : accepted.begin()->first; }
  CopySummary summary(std::uint64_t key, const CopyEntry& copy) const;
  const std::string* intern(std::string_view text);

  // For IndexStore, which fills an empty index.
  void putAccepted(std::uint64_t id, AcceptedEntry entry);
  void putTail(std::uint64_t instance, TailEntry entry);
  void putCopy(std::uint64_t key, CopyEntry entry);
  void putEvent(std::uint64_t sequence, EventEntry entry);

  std::map<std::uint64_t, AcceptedEntry> accepted;
  std::set<std::uint64_t> untaken;
  std::unordered_map<std::uint64_t, TailEntry> tails;            // by instance
  std::unordered_map<std::uint64_t, std::uint64_t> tailInForce;  // listd's number -> instance
  std::unordered_map<std::uint64_t, CopyEntry> copies;
  std::set<std::pair<std::int64_t, std::uint64_t>> byAge;  // copies that are not done: queuedAt, key
  std::map<std::uint64_t, EventEntry> events;
  KeyMemory memory;
  std::uint64_t held = 0;
  std::uint64_t nextId = 1;
  std::uint64_t nextSequence = 1;
  std::uint64_t nextInstance = 1;
  Counters counters;

private:
  void applyFinished(std::uint64_t id, Changes& changes);
  void applyTail(const TailMeta& meta, const store::RecordRef& ref, TimePoint now);
  void applyCopy(CopyMeta meta, const store::RecordRef& ref, TimePoint now, Changes& changes);
  void applyEvent(EventMeta meta, Changes& changes);
  void applyDelivery(const EventMeta& meta, CopyEntry& copy, Changes& changes);
  void applyAcknowledged(std::uint64_t sequence);
  void applyChange(const ChangeMeta& meta, Changes& changes);
  void changeCopy(std::uint64_t key, CopyEntry& copy, const ChangeMeta& meta, Changes& changes);
  void finishCopy(std::uint64_t key, CopyEntry& copy, bool dropped, Changes& changes);
  void forgetCopy(std::uint64_t key);
  void dropOldestRefusal();

  template <class Entry>
  void touch(std::vector<std::uint64_t>& dirty, std::uint64_t key, Entry& entry) {
    if (!std::exchange(entry.dirty, true)) dirty.push_back(key);
  }

  std::size_t maxRefusals_;
  std::unordered_set<std::string> names_;  // destinations and ways
  std::set<std::uint64_t> refusals_;       // sequences of refusal events
  std::vector<std::uint64_t> dirtyAccepted_, dirtyTails_, dirtyCopies_, dirtyEvents_;
  std::vector<std::uint64_t> removedAccepted_, removedTails_, removedCopies_, removedEvents_;
};

}  // namespace postern::gateway
