// What changes keys.db as a whole: epochs, the root key, places to wipe, and the facts shown of it.
#include "core/vault/KeyStoreImpl.h"

namespace postern::vault {

std::vector<KeyStore::FreedPlace> KeyStore::freedPlaces(std::size_t most) const {
  MutexLock lock(impl_->mutex);
  std::vector<FreedPlace> places;
  auto select = impl_->database.prepare("SELECT id, segment, offset, length FROM freed_places ORDER BY id LIMIT ?");
  select.bind(most);
  while (select.step()) places.push_back({select.integer(0), placeOf(select, 1)});
  return places;
}

void KeyStore::forgetFreed(std::span<const FreedPlace> places) {
  MutexLock lock(impl_->mutex);
  store::Transaction transaction(impl_->database);
  for (const auto& place : places)
    impl_->database.prepare("DELETE FROM freed_places WHERE id = ?").bind(place.id).run();
  transaction.commit();
}

std::vector<KeyStore::SegmentCount> KeyStore::segmentCounts() const {
  MutexLock lock(impl_->mutex);
  std::vector<SegmentCount> counts;
  auto select = impl_->database.prepare("SELECT segment, objects FROM segment_counts ORDER BY segment");
  select.bind();
  while (select.step()) counts.push_back({select.unsignedInteger(0), select.unsignedInteger(1)});
  return counts;
}

std::vector<store::RecordRef> KeyStore::placesOver(std::uint32_t length) const {
  MutexLock lock(impl_->mutex);
  std::vector<store::RecordRef> places;
  // The first condition is that of the index, which has these alone.
  auto select =
      impl_->database.prepare("SELECT segment, offset, length FROM object_keys WHERE length > 4194304 AND length > ?");
  select.bind(length);
  while (select.step()) places.push_back(placeOf(select, 0));
  return places;
}

std::vector<store::RecordRef> KeyStore::places() const {
  MutexLock lock(impl_->mutex);
  std::vector<store::RecordRef> places;
  auto select = impl_->database.prepare("SELECT segment, offset, length FROM object_keys");
  select.bind();
  while (select.step()) places.push_back(placeOf(select, 0));
  return places;
}

std::uint64_t KeyStore::objects() const {
  MutexLock lock(impl_->mutex);
  auto select = impl_->database.prepare("SELECT COALESCE(SUM(objects), 0) FROM segment_counts");
  return select.bind().step() ? select.unsignedInteger(0) : 0;
}

std::vector<KeyStore::EpochFacts> KeyStore::epochs() const {
  MutexLock lock(impl_->mutex);
  std::vector<EpochFacts> facts;
  auto select = impl_->database.prepare("SELECT id, list_id, created_at, objects FROM epochs ORDER BY list_id, id");
  select.bind();
  while (select.step()) {
    EpochFacts epoch{select.unsignedInteger(0), select.unsignedInteger(1), select.time(2), select.unsignedInteger(3),
                     true};
    if (!facts.empty() && facts.back().listId == epoch.listId) facts.back().current = false;
    facts.push_back(epoch);
  }
  return facts;
}

std::vector<std::uint64_t> KeyStore::listsWithKeys() const {
  MutexLock lock(impl_->mutex);
  std::vector<std::uint64_t> lists;
  auto select = impl_->database.prepare("SELECT DISTINCT list_id FROM epochs ORDER BY list_id");
  select.bind();
  while (select.step()) lists.push_back(select.unsignedInteger(0));
  return lists;
}

std::uint64_t KeyStore::startEpoch(std::uint64_t listId, TimePoint now) {
  MutexLock lock(impl_->mutex);
  store::Transaction transaction(impl_->database);
  const auto epoch = impl_->addEpoch(listId, now);
  transaction.commit();
  impl_->epochs[epoch.id] = epoch.key;
  return static_cast<std::uint64_t>(epoch.id);
}

std::uint64_t KeyStore::objectsBefore(std::uint64_t epoch) const {
  MutexLock lock(impl_->mutex);
  auto select = impl_->database.prepare(
      "SELECT COALESCE(SUM(objects), 0) FROM epochs WHERE id < ? AND list_id = (SELECT list_id FROM epochs WHERE id = "
      "?)");
  return select.bind(epoch, epoch).step() ? select.unsignedInteger(0) : 0;
}

std::uint64_t KeyStore::rewrapObjectKeys(std::uint64_t epoch, std::size_t most) {
  MutexLock lock(impl_->mutex);
  struct Row {
    std::uint64_t object = 0;
    std::int64_t epoch = 0;
    std::string wrapped;
  };
  std::vector<Row> rows;
  std::vector<std::int64_t> older;
  std::uint64_t listId = 0;
  {
    auto select = impl_->database.prepare("SELECT list_id FROM epochs WHERE id = ?");
    if (!select.bind(epoch).step()) throw Error(ErrorKind::Invariant, "no such epoch in keys.db");
    listId = select.unsignedInteger(0);
    auto others = impl_->database.prepare("SELECT id FROM epochs WHERE list_id = ? AND id < ? ORDER BY id");
    others.bind(listId, epoch);
    while (others.step()) older.push_back(others.integer(0));
  }
  for (const auto id : older) {
    if (rows.size() >= most) break;
    auto select = impl_->database.prepare("SELECT object_id, wrapped FROM object_keys WHERE epoch_id = ? LIMIT ?");
    select.bind(id, most - rows.size());
    while (select.step()) rows.push_back({select.unsignedInteger(0), id, select.blob(1)});
  }
  const auto key = impl_->epochKey(static_cast<std::int64_t>(epoch));
  Impl::Counts counts;
  store::Transaction transaction(impl_->database);
  for (const auto& row : rows) {
    const auto bound = objectContext(listId, row.object);
    const auto secret = impl_->epochKey(row.epoch)->openSecret(row.wrapped, bound);
    impl_->database.prepare("UPDATE object_keys SET epoch_id = ?, wrapped = ? WHERE object_id = ?")
        .bind(epoch, store::Blob{key->sealSecret(secret, bound)}, row.object)
        .run();
    --counts.epochs[row.epoch];
    ++counts.epochs[static_cast<std::int64_t>(epoch)];
  }
  impl_->addCounts(counts);
  // An epoch key that nothing hangs on any more is destroyed; the rows decide, not the count.
  impl_->database
      .prepare(
          "DELETE FROM epochs WHERE list_id = ? AND id < ? AND NOT EXISTS (SELECT 1 FROM object_keys WHERE epoch_id = "
          "epochs.id)")
      .bind(listId, epoch)
      .run();
  const bool destroyed = impl_->database.changes() > 0;
  transaction.commit();
  if (rows.size() < most)
    for (const auto id : older) impl_->epochs.erase(id);
  if (destroyed) impl_->emptyWriteAheadLog();
  return rows.size();
}

KeyStore::RootFacts KeyStore::rootFacts() const {
  MutexLock lock(impl_->mutex);
  auto select = impl_->database.prepare("SELECT id, since, check_value FROM root_epochs ORDER BY id DESC LIMIT 1");
  if (!select.bind().step()) throw Error(ErrorKind::Store, "keys.db names no root key");
  return {select.unsignedInteger(0), select.time(1), select.blob(2)};
}

std::uint64_t KeyStore::changeRoot(const RootKey& next, TimePoint now) {
  if (rootFacts().checkValue == next.checkValue())
    throw Error(ErrorKind::Config, "the next root key is the one that is in use; a new one is wanted");
  MutexLock lock(impl_->mutex);
  const auto wrapping = Impl::wrappingOf(next);
  std::uint64_t count = 0;
  store::Transaction transaction(impl_->database);
  {
    struct Row {
      std::int64_t id = 0;
      std::uint64_t listId = 0;
      std::string name;
      std::string wrapped;
    };
    std::vector<Row> rows;
    auto epochs = impl_->database.prepare("SELECT id, list_id, wrapped FROM epochs");
    epochs.bind();
    while (epochs.step()) rows.push_back({epochs.integer(0), epochs.unsignedInteger(1), {}, epochs.blob(2)});
    for (const auto& row : rows) {
      const auto bound = epochContext(row.listId);
      impl_->database.prepare("UPDATE epochs SET wrapped = ? WHERE id = ?")
          .bind(store::Blob{wrapping->sealSecret(impl_->wrapping->openSecret(row.wrapped, bound), bound)}, row.id)
          .run();
    }
    count += rows.size();
    rows.clear();
    auto keys = impl_->database.prepare("SELECT list_id, name, wrapped FROM private_keys");
    keys.bind();
    while (keys.step()) rows.push_back({0, keys.unsignedInteger(0), keys.text(1), keys.blob(2)});
    for (const auto& row : rows) {
      const auto bound = context("private", row.listId, row.name);
      impl_->database.prepare("UPDATE private_keys SET wrapped = ? WHERE list_id = ? AND name = ?")
          .bind(store::Blob{wrapping->sealSecret(impl_->wrapping->openSecret(row.wrapped, bound), bound)}, row.listId,
                row.name)
          .run();
    }
    count += rows.size();
  }
  impl_->addRootEpoch(next, now);
  transaction.commit();
  impl_->wrapping = wrapping;
  impl_->emptyWriteAheadLog();
  return count;
}

void KeyStore::checkWrapped(store::Database& database, const RootKey& root) {
  const auto wrapping = Impl::wrappingOf(root);
  auto keys = database.prepare("SELECT list_id, name, wrapped FROM private_keys");
  keys.bind();
  while (keys.step()) wrapping->openSecret(keys.view(2), context("private", keys.unsignedInteger(0), keys.text(1)));
  std::map<std::int64_t, crypto::AeadKey> epochs;
  auto rows = database.prepare("SELECT id, list_id, wrapped FROM epochs");
  rows.bind();
  while (rows.step())
    epochs.emplace(rows.integer(0), wrapping->openSecret(rows.view(2), epochContext(rows.unsignedInteger(1))));
  auto objects = database.prepare("SELECT object_id, list_id, epoch_id, wrapped FROM object_keys");
  objects.bind();
  while (objects.step()) {
    const auto epoch = epochs.find(objects.integer(2));
    if (epoch == epochs.end()) throw Error(ErrorKind::Crypto, "an object key whose epoch key is missing");
    epoch->second.openSecret(objects.view(3), objectContext(objects.unsignedInteger(1), objects.unsignedInteger(0)));
  }
}

void KeyStore::backupTo(const std::filesystem::path& target) const {
  MutexLock lock(impl_->mutex);
  impl_->database.backupTo(target);
}

std::optional<KeyStore::BackupFacts> KeyStore::newestBackup() const {
  MutexLock lock(impl_->mutex);
  auto select = impl_->database.prepare("SELECT number, text FROM facts WHERE name = 'backup'");
  if (!select.bind().step()) return std::nullopt;
  return BackupFacts{select.time(0), select.text(1)};
}

void KeyStore::noteBackup(const BackupFacts& backup) {
  MutexLock lock(impl_->mutex);
  impl_->setFact("backup", static_cast<std::uint64_t>(toMicros(backup.at)), backup.name);
}

}  // namespace postern::vault
