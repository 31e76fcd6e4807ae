#include "gateway/queue/QueueIndex.h"

namespace postern::gateway {

namespace {

// An entry that never reached queue.db needs no deletion there.
template <class Entry>
void noteRemoved(std::vector<std::uint64_t>& removed, std::uint64_t key, const Entry& entry) {
  if (entry.stored) removed.push_back(key);
}

template <class Map, class Rows>
void takeDirty(Map& entries, std::vector<std::uint64_t>& dirty, Rows& rows) {
  for (const auto key : dirty) {
    const auto found = entries.find(key);
    if (found == entries.end() || !found->second.dirty) continue;
    found->second.dirty = false;
    found->second.stored = true;
    rows.emplace_back(key, found->second);
  }
  dirty.clear();
}

}  // namespace

bool QueueIndex::Snapshot::empty() const {
  return accepted.empty() && tails.empty() && copies.empty() && events.empty() && removedAccepted.empty() &&
         removedTails.empty() && removedCopies.empty() && removedEvents.empty() && !memoryChanged;
}

const std::string* QueueIndex::intern(std::string_view text) {
  return &*names_.emplace(text).first;
}

CopySummary QueueIndex::summary(std::uint64_t key, const CopyEntry& copy) const {
  return {key,
          *copy.destination,
          copy.kind,
          copy.protection,
          copy.floor,
          copy.attempts,
          fromMicros(copy.queuedAt),
          fromMicros(copy.notBefore),
          fromMicros(copy.expiresAt),
          copy.state == CopyEntry::State::Held,
          copy.tlsAsk,
          copy.post,
          copy.via ? *copy.via : std::string()};
}

void QueueIndex::putAccepted(std::uint64_t id, AcceptedEntry entry) {
  nextId = std::max(nextId, id + 1);
  accepted.emplace(id, entry);
  untaken.insert(id);
}

void QueueIndex::putTail(std::uint64_t instance, TailEntry entry) {
  nextInstance = std::max(nextInstance, instance + 1);
  auto& inForce = tailInForce[entry.tail];
  inForce = std::max(inForce, instance);
  tails.emplace(instance, entry);
}

void QueueIndex::putCopy(std::uint64_t key, CopyEntry entry) {
  if (entry.state == CopyEntry::State::Held) ++held;
  if (!entry.done()) {
    byAge.emplace(entry.queuedAt, key);
    const auto tail = tails.find(entry.tailInstance);
    if (tail != tails.end()) ++tail->second.copies;
  }
  copies.emplace(key, std::move(entry));
}

void QueueIndex::putEvent(std::uint64_t sequence, EventEntry entry) {
  nextSequence = std::max(nextSequence, sequence + 1);
  if (entry.kind == EventEntry::Kind::Refusal) refusals_.insert(sequence);
  events.emplace(sequence, std::move(entry));
}

void QueueIndex::apply(std::uint8_t type, std::string_view meta, const store::RecordRef& ref, TimePoint now,
                       Changes& changes) {
  switch (static_cast<RecordType>(type)) {
    case RecordType::Accepted: {
      const auto id = decodeNumber(meta);
      AcceptedEntry entry;
      entry.ref = ref;
      putAccepted(id, entry);
      touch(dirtyAccepted_, id, accepted.at(id));
      ++counters.accepted;
      changes.accepted = true;
      return;
    }
    case RecordType::Tail:
      applyTail(TailMeta::decode(meta), ref, now);
      return;
    case RecordType::Copy:
      applyCopy(CopyMeta::decode(meta), ref, now, changes);
      return;
    case RecordType::Finished:
      applyFinished(decodeNumber(meta), changes);
      break;
    case RecordType::Event:
      applyEvent(EventMeta::decode(meta), changes);
      break;
    case RecordType::Acknowledged:
      applyAcknowledged(decodeNumber(meta));
      break;
    case RecordType::Change:
      applyChange(ChangeMeta::decode(meta), changes);
      break;
  }
  // These records are all in memory now; the log keeps them until queue.db is past them.
  changes.released.push_back(ref);
}

void QueueIndex::applyFinished(std::uint64_t id, Changes& changes) {
  const auto found = accepted.find(id);
  if (found == accepted.end()) return;
  changes.released.push_back(found->second.ref);
  noteRemoved(removedAccepted_, id, found->second);
  untaken.erase(id);
  accepted.erase(found);
}

void QueueIndex::applyTail(const TailMeta& meta, const store::RecordRef& ref, TimePoint now) {
  TailEntry entry;
  entry.tail = meta.tail;
  entry.generation = meta.generation;
  entry.ref = ref;
  entry.touched = now;
  putTail(meta.instance, entry);
  touch(dirtyTails_, meta.instance, tails.at(meta.instance));
}

void QueueIndex::applyCopy(CopyMeta meta, const store::RecordRef& ref, TimePoint now, Changes& changes) {
  if (knows(meta.key)) {
    changes.released.push_back(ref);
    return;
  }
  CopyEntry entry;
  entry.tailInstance = meta.tailInstance;
  entry.destination = intern(meta.destination);
  entry.kind = meta.kind;
  entry.protection = meta.protection;
  entry.floor = meta.floor;
  entry.tlsAsk = meta.tlsAsk;
  entry.queuedAt = meta.queuedAt;
  entry.notBefore = meta.queuedAt;
  entry.expiresAt = meta.expiresAt;
  entry.generation = meta.generation;
  entry.post = meta.post;
  entry.ref = ref;
  const auto tail = tails.find(meta.tailInstance);
  if (tail != tails.end()) tail->second.touched = now;
  changes.queued.push_back(summary(meta.key, entry));
  putCopy(meta.key, std::move(entry));
  touch(dirtyCopies_, meta.key, copies.at(meta.key));
}

void QueueIndex::finishCopy(std::uint64_t key, CopyEntry& copy, bool dropped, Changes& changes) {
  byAge.erase({copy.queuedAt, key});
  if (copy.state == CopyEntry::State::Held) --held;
  copy.state = dropped ? CopyEntry::State::Dropped : CopyEntry::State::Finished;
  copy.lastEvent.clear();
  changes.released.push_back(copy.ref);
  const auto tail = tails.find(copy.tailInstance);
  if (tail != tails.end()) --tail->second.copies;
  if (dropped) changes.dropped.push_back(key);
}

void QueueIndex::applyDelivery(const EventMeta& meta, CopyEntry& copy, Changes& changes) {
  using Outcome = app::DeliveryEvent::Outcome;
  copy.attempts = std::max(copy.attempts, meta.attempt);
  if (meta.outcome == Outcome::Deferred) {
    copy.notBefore = meta.nextAttempt;
    copy.lastEvent = meta.sealed;
    ++counters.deferred;
  } else {
    finishCopy(meta.copyKey, copy, meta.outcome == Outcome::Dropped, changes);
    if (meta.outcome == Outcome::Delivered) ++counters.delivered;
  }
  touch(dirtyCopies_, meta.copyKey, copy);
}

void QueueIndex::applyEvent(EventMeta meta, Changes& changes) {
  using Outcome = app::DeliveryEvent::Outcome;
  EventEntry entry;
  entry.copyKey = meta.copyKey;
  if (meta.refusal) {
    entry.kind = EventEntry::Kind::Refusal;
  } else {
    const auto found = copies.find(meta.copyKey);
    if (found == copies.end()) return;
    // A copy ends once. One thing more is worth the ledger: it was dropped by order while it was on its way.
    const bool lateDelivery = found->second.state == CopyEntry::State::Dropped && meta.outcome == Outcome::Delivered;
    if (found->second.done() && !lateDelivery) return;
    if (!lateDelivery) applyDelivery(meta, found->second, changes);
    const bool final = !lateDelivery && meta.outcome != Outcome::Deferred;
    entry.kind = final ? EventEntry::Kind::Final : EventEntry::Kind::Delivery;
  }
  entry.body = std::move(meta.sealed);
  putEvent(meta.sequence, std::move(entry));
  touch(dirtyEvents_, meta.sequence, events.at(meta.sequence));
  changes.events = true;
  if (refusals_.size() > maxRefusals_) dropOldestRefusal();
}

void QueueIndex::dropOldestRefusal() {
  const auto sequence = *refusals_.begin();
  refusals_.erase(refusals_.begin());
  noteRemoved(removedEvents_, sequence, events.at(sequence));
  events.erase(sequence);
  ++counters.refusalsDropped;
}

void QueueIndex::forgetCopy(std::uint64_t key) {
  const auto found = copies.find(key);
  if (found == copies.end()) return;
  if (found->second.generation >= lowestUnfinished()) memory.add(key, found->second.generation);
  noteRemoved(removedCopies_, key, found->second);
  copies.erase(found);
}

void QueueIndex::applyAcknowledged(std::uint64_t sequence) {
  while (!events.empty() && events.begin()->first <= sequence) {
    const auto& [number, event] = *events.begin();
    if (event.kind == EventEntry::Kind::Final) forgetCopy(event.copyKey);
    if (event.kind == EventEntry::Kind::Refusal) refusals_.erase(number);
    noteRemoved(removedEvents_, number, event);
    events.erase(events.begin());
  }
}

void QueueIndex::changeCopy(std::uint64_t key, CopyEntry& copy, const ChangeMeta& meta, Changes& changes) {
  using Action = ChangeMeta::Action;
  const bool isHeld = copy.state == CopyEntry::State::Held;
  if (copy.done()) return;
  if (meta.action == Action::Reroute) {
    copy.via = meta.via.empty() ? nullptr : intern(meta.via);
    if (!isHeld) copy.notBefore = meta.at;
  } else if (isHeld != (meta.action == Action::Release)) {
    return;
  } else if (meta.action == Action::Hold) {
    copy.state = CopyEntry::State::Held;
    ++held;
  } else {
    if (isHeld) --held;
    copy.state = CopyEntry::State::Waiting;
    copy.notBefore = meta.at;
  }
  touch(dirtyCopies_, key, copy);
  changes.changed.push_back(summary(key, copy));
}

void QueueIndex::applyChange(const ChangeMeta& meta, Changes& changes) {
  if (meta.key != 0) {
    const auto found = copies.find(meta.key);
    if (found != copies.end()) changeCopy(meta.key, found->second, meta, changes);
    return;
  }
  for (const auto& [queuedAt, key] : byAge) changeCopy(key, copies.at(key), meta, changes);
}

void QueueIndex::dropUnusedTails(TimePoint now, std::chrono::seconds grace, std::vector<store::RecordRef>& released) {
  const auto lowest = lowestUnfinished();
  std::erase_if(tails, [&](const auto& item) {
    const auto& [instance, tail] = item;
    if (tail.copies > 0 || tail.pins > 0) return false;
    const auto inForce = tailInForce.find(tail.tail);
    const bool replaced = inForce == tailInForce.end() || inForce->second != instance;
    if (tail.touched + grace > now || (!replaced && tail.generation >= lowest)) return false;
    if (!replaced) tailInForce.erase(inForce);
    released.push_back(tail.ref);
    noteRemoved(removedTails_, instance, tail);
    return true;
  });
  memory.forgetBefore(lowest);
}

QueueIndex::Snapshot QueueIndex::takeSnapshot(store::LogPosition position) {
  Snapshot snapshot;
  snapshot.position = position;
  snapshot.nextId = nextId;
  snapshot.nextSequence = nextSequence;
  snapshot.nextInstance = nextInstance;
  takeDirty(accepted, dirtyAccepted_, snapshot.accepted);
  takeDirty(tails, dirtyTails_, snapshot.tails);
  takeDirty(copies, dirtyCopies_, snapshot.copies);
  takeDirty(events, dirtyEvents_, snapshot.events);
  snapshot.removedAccepted = std::exchange(removedAccepted_, {});
  snapshot.removedTails = std::exchange(removedTails_, {});
  snapshot.removedCopies = std::exchange(removedCopies_, {});
  snapshot.removedEvents = std::exchange(removedEvents_, {});
  snapshot.memoryChanged = memory.takeChanged();
  if (snapshot.memoryChanged) snapshot.memory = memory.ranges();
  return snapshot;
}

}  // namespace postern::gateway
