#include "gateway/queue/IndexStore.h"

#include "core/store/Migrator.h"
#include "gateway/queue/Migrations.h"

namespace postern::gateway {

namespace {

store::RecordRef refAt(const store::Statement& row, int column) {
  return {row.unsignedInteger(column), static_cast<std::uint32_t>(row.integer(column + 1)),
          static_cast<std::uint32_t>(row.integer(column + 2))};
}

store::Database openAndMigrate(const std::filesystem::path& file) {
  auto database = store::Database::openWriter(file);
  store::Migrator(migrations::all()).migrate(database);
  return database;
}

void removeAll(store::Database& database, std::string_view sql, const std::vector<std::uint64_t>& keys) {
  auto remove = database.prepare(sql);
  for (const auto key : keys) remove.bind(key).run();
}

}  // namespace

IndexStore::IndexStore(const std::filesystem::path& file) : database_(openAndMigrate(file)) {}

std::uint64_t IndexStore::counter(std::string_view name) {
  auto select = database_.prepare("SELECT value FROM counters WHERE name = ?");
  return select.bind(name).step() ? select.unsignedInteger(0) : 0;
}

void IndexStore::setCounter(std::string_view name, std::uint64_t value) {
  database_
      .prepare(
          "INSERT INTO counters (name, value) VALUES (?, ?) "
          "ON CONFLICT (name) DO UPDATE SET value = excluded.value")
      .bind(name, value)
      .run();
}

store::LogPosition IndexStore::load(QueueIndex& index, TimePoint now) {
  auto accepted = database_.prepare("SELECT id, segment, offset, length FROM accepted");
  while (accepted.step()) {
    AcceptedEntry entry;
    entry.stored = true;
    entry.ref = refAt(accepted, 1);
    index.putAccepted(accepted.unsignedInteger(0), entry);
  }
  auto tails = database_.prepare("SELECT instance, tail, generation, segment, offset, length FROM tails");
  while (tails.step()) {
    TailEntry entry;
    entry.stored = true;
    entry.tail = tails.unsignedInteger(1);
    entry.generation = tails.unsignedInteger(2);
    entry.ref = refAt(tails, 3);
    entry.touched = now;
    index.putTail(tails.unsignedInteger(0), entry);
  }
  loadCopies(index);
  auto events = database_.prepare("SELECT sequence, copy_key, kind, body FROM events");
  while (events.step()) {
    EventEntry entry;
    entry.stored = true;
    entry.copyKey = events.unsignedInteger(1);
    entry.kind = static_cast<EventEntry::Kind>(events.integer(2));
    entry.body = events.blob(3);
    index.putEvent(events.unsignedInteger(0), std::move(entry));
  }
  auto ranges = database_.prepare("SELECT first_key, last_key, generation FROM remembered_keys");
  while (ranges.step())
    index.memory.addRange(ranges.unsignedInteger(0), ranges.unsignedInteger(1), ranges.unsignedInteger(2));
  index.memory.takeChanged();
  index.nextId = std::max(index.nextId, counter("next_id"));
  index.nextSequence = std::max(index.nextSequence, counter("next_sequence"));
  index.nextInstance = std::max(index.nextInstance, counter("next_instance"));
  return {counter("log_segment"), static_cast<std::uint32_t>(counter("log_offset"))};
}

void IndexStore::loadCopies(QueueIndex& index) {
  auto rows = database_.prepare(
      "SELECT key, tail_instance, kind, protection, floor, destination, attempts, queued_at, not_before, expires_at, "
      "generation, state, last_event, segment, offset, length, tls_ask, post, via FROM copies");
  while (rows.step()) {
    CopyEntry entry;
    entry.stored = true;
    entry.tailInstance = rows.unsignedInteger(1);
    entry.kind = static_cast<app::Copy::Kind>(rows.integer(2));
    entry.protection = static_cast<app::Protection>(rows.integer(3));
    entry.floor = static_cast<app::Protection>(rows.integer(4));
    entry.destination = index.intern(rows.view(5));
    entry.attempts = static_cast<std::uint32_t>(rows.integer(6));
    entry.queuedAt = rows.integer(7);
    entry.notBefore = rows.integer(8);
    entry.expiresAt = rows.integer(9);
    entry.generation = rows.unsignedInteger(10);
    entry.state = static_cast<CopyEntry::State>(rows.integer(11));
    entry.lastEvent = rows.blob(12);
    entry.ref = refAt(rows, 13);
    entry.tlsAsk = static_cast<app::TlsAsk>(rows.integer(16));
    entry.post = rows.unsignedInteger(17);
    if (const auto via = rows.view(18); !via.empty()) entry.via = index.intern(via);
    index.putCopy(rows.unsignedInteger(0), std::move(entry));
  }
}

void IndexStore::saveCopies(const QueueIndex::Snapshot& snapshot) {
  auto insert = database_.prepare(
      "INSERT OR REPLACE INTO copies (key, tail_instance, kind, protection, floor, destination, attempts, queued_at, "
      "not_before, expires_at, generation, state, last_event, segment, offset, length, tls_ask, post, "
      "via) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
  for (const auto& [key, copy] : snapshot.copies)
    insert
        .bind(key, copy.tailInstance, copy.kind, copy.protection, copy.floor, *copy.destination, copy.attempts,
              copy.queuedAt, copy.notBefore, copy.expiresAt, copy.generation, copy.state, store::Blob{copy.lastEvent},
              copy.ref.segment, copy.ref.offset, copy.ref.length, copy.tlsAsk, copy.post,
              copy.via ? std::string_view(*copy.via) : std::string_view())
        .run();
}

void IndexStore::save(const QueueIndex::Snapshot& snapshot) {
  store::Transaction transaction(database_);
  removeAll(database_, "DELETE FROM accepted WHERE id = ?", snapshot.removedAccepted);
  removeAll(database_, "DELETE FROM tails WHERE instance = ?", snapshot.removedTails);
  removeAll(database_, "DELETE FROM copies WHERE key = ?", snapshot.removedCopies);
  removeAll(database_, "DELETE FROM events WHERE sequence = ?", snapshot.removedEvents);
  auto accepted =
      database_.prepare("INSERT OR REPLACE INTO accepted (id, segment, offset, length) VALUES (?, ?, ?, ?)");
  for (const auto& [id, entry] : snapshot.accepted)
    accepted.bind(id, entry.ref.segment, entry.ref.offset, entry.ref.length).run();
  auto tails = database_.prepare(
      "INSERT OR REPLACE INTO tails (instance, tail, generation, segment, offset, length) VALUES (?, ?, ?, ?, ?, ?)");
  for (const auto& [instance, tail] : snapshot.tails)
    tails.bind(instance, tail.tail, tail.generation, tail.ref.segment, tail.ref.offset, tail.ref.length).run();
  saveCopies(snapshot);
  auto events = database_.prepare("INSERT OR REPLACE INTO events (sequence, copy_key, kind, body) VALUES (?, ?, ?, ?)");
  for (const auto& [sequence, event] : snapshot.events)
    events.bind(sequence, event.copyKey, event.kind, store::Blob{event.body}).run();
  if (snapshot.memoryChanged) {
    database_.prepare("DELETE FROM remembered_keys").run();
    auto insert = database_.prepare("INSERT INTO remembered_keys (first_key, last_key, generation) VALUES (?, ?, ?)");
    for (const auto& [first, range] : snapshot.memory) insert.bind(first, range.last, range.generation).run();
  }
  setCounter("next_id", snapshot.nextId);
  setCounter("next_sequence", snapshot.nextSequence);
  setCounter("next_instance", snapshot.nextInstance);
  setCounter("log_segment", snapshot.position.segment);
  setCounter("log_offset", snapshot.position.offset);
  transaction.commit();
}

}  // namespace postern::gateway
