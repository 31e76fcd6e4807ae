#include "listd/archive/ArchiveStore.h"

#include "core/base/Error.h"
#include "listd/site/IdList.h"

#include <algorithm>
#include <set>
#include <utility>

namespace postern::listd {
namespace {

constexpr std::string_view States[] = {"stored", "destroying", "destroyed"};

ObjectState stateFrom(std::string_view word) {
  for (std::size_t i = 0; i < std::size(States); ++i)
    if (word == States[i]) return static_cast<ObjectState>(i);
  throw Error(ErrorKind::Store, "site.db: an object has the unknown state " + std::string(word));
}

std::optional<TimePoint> timeUnlessZero(const store::Statement& row, int column) {
  if (row.integer(column) == 0) return std::nullopt;
  return row.time(column);
}

constexpr std::string_view ObjectColumns = "o.id, o.received_at, o.header_date, o.size, o.class";

void readFacts(const store::Statement& row, StoredObject& object) {
  object.id = row.unsignedInteger(0);
  object.receivedAt = row.time(1);
  object.headerDate = row.isNull(2) ? std::nullopt : std::optional(row.time(2));
  object.size = row.unsignedInteger(3);
  object.sensitivity = row.view(4);
}

// The facts, then columns digest, state, destroyed_at.
void readObject(const store::Statement& row, StoredObject& object) {
  readFacts(row, object);
  object.digest = row.blob(5);
  object.state = stateFrom(row.view(6));
  object.destroyedAt = row.time(7);
}

// Columns list_id, post_id, hidden_at, hidden_by, removed_at from `first` on.
Reference readReference(const store::Statement& row, std::uint64_t objectId, int first) {
  Reference reference;
  reference.objectId = objectId;
  reference.listId = row.unsignedInteger(first);
  reference.postId = row.unsignedInteger(first + 1);
  reference.hiddenAt = timeUnlessZero(row, first + 2);
  reference.hiddenBy = row.view(first + 3);
  reference.removedAt = timeUnlessZero(row, first + 4);
  return reference;
}

// Labels by object, read in step with the objects.
class LabelCursor {
public:
  LabelCursor(store::Database& database, std::int64_t after)
      : select_(database.prepare(
            "SELECT object_id, label FROM object_labels WHERE object_id > ? ORDER BY object_id, label")) {
    more_ = select_.bind(after).step();
  }
  void take(std::uint64_t objectId, std::vector<std::string>& labels) {
    labels.clear();
    while (more_ && select_.unsignedInteger(0) <= objectId) {
      if (select_.unsignedInteger(0) == objectId) labels.push_back(select_.text(1));
      more_ = select_.step();
    }
  }

private:
  store::Statement select_;
  bool more_ = false;
};

std::set<std::uint64_t> unsentObjects(store::Database& database) {
  std::set<std::uint64_t> objects;
  auto select = database.prepare("SELECT vault_object FROM posts WHERE state <> 'done'");
  select.bind();
  while (select.step()) objects.insert(select.unsignedInteger(0));
  return objects;
}

}  // namespace

void ArchiveStore::add(const StoredObject& object, std::uint64_t listId, std::uint64_t postId) {
  database_
      .prepare(
          "INSERT INTO objects (id, received_at, header_date, size, class, digest, state) VALUES (?, ?, ?, ?, ?, ?, "
          "'stored') ON CONFLICT (id) DO UPDATE SET class = CASE WHEN 'high' IN (class, excluded.class) THEN 'high' "
          "WHEN 'moderate' IN (class, excluded.class) THEN 'moderate' ELSE 'low' END")
      .bind(object.id, object.receivedAt, object.headerDate, object.size, object.sensitivity,
            store::Blob{object.digest})
      .run();
  database_
      .prepare(
          "INSERT INTO object_references (object_id, list_id, post_id) VALUES (?, ?, ?) "
          "ON CONFLICT (object_id, list_id) DO NOTHING")
      .bind(object.id, listId, postId)
      .run();
}

std::optional<StoredObject> ArchiveStore::find(std::uint64_t id) const {
  auto select = database_.prepare("SELECT " + std::string(ObjectColumns) +
                                  ", o.digest, o.state, o.destroyed_at FROM objects o WHERE o.id = ?");
  if (!select.bind(id).step()) return std::nullopt;
  StoredObject object;
  readObject(select, object);
  return object;
}

// One statement for each table: a statement for each object would take several times as long.
std::unordered_map<std::uint64_t, ArchivedMessage> ArchiveStore::messages(std::span<const std::uint64_t> ids) const {
  const auto wanted = idList(ids);
  std::unordered_map<std::uint64_t, ArchivedMessage> messages;
  messages.reserve(ids.size());
  auto objects = database_.prepare("SELECT " + std::string(ObjectColumns) +
                                   ", o.digest, o.state, o.destroyed_at FROM json_each(?) AS w "
                                   "CROSS JOIN objects o ON o.id = w.value");
  for (objects.bind(wanted); objects.step();) readObject(objects, messages[objects.unsignedInteger(0)].object);
  const auto each = [&](store::Statement rows, const auto& take) {
    for (rows.bind(wanted); rows.step();)
      if (const auto found = messages.find(rows.unsignedInteger(0)); found != messages.end()) take(rows, found->second);
  };
  each(database_.prepare("SELECT w.value, r.list_id, r.post_id, r.hidden_at, r.hidden_by, r.removed_at "
                         "FROM json_each(?) AS w CROSS JOIN object_references r ON r.object_id = w.value"),
       [](const store::Statement& row, ArchivedMessage& message) {
         message.references.push_back(readReference(row, row.unsignedInteger(0), 1));
       });
  each(database_.prepare("SELECT w.value, l.label FROM json_each(?) AS w "
                         "CROSS JOIN object_labels l ON l.object_id = w.value"),
       [](const store::Statement& row, ArchivedMessage& message) { message.labels.push_back(row.text(1)); });
  each(database_.prepare("SELECT w.value FROM json_each(?) AS w CROSS JOIN posts p ON p.vault_object = w.value "
                         "AND p.state <> 'done'"),
       [](const store::Statement&, ArchivedMessage& message) { message.unsent = true; });
  for (auto& [id, message] : messages) {
    std::sort(message.references.begin(), message.references.end(),
              [](const auto& a, const auto& b) { return a.listId < b.listId; });
    std::sort(message.labels.begin(), message.labels.end());
  }
  return messages;
}

std::optional<ArchivedMessage> ArchiveStore::message(std::uint64_t id) const {
  auto object = find(id);
  if (!object) return std::nullopt;
  ArchivedMessage message;
  message.object = std::move(*object);
  auto references = database_.prepare(
      "SELECT list_id, post_id, hidden_at, hidden_by, removed_at FROM object_references WHERE object_id = ? "
      "ORDER BY list_id");
  references.bind(id);
  while (references.step()) message.references.push_back(readReference(references, id, 0));
  auto labels = database_.prepare("SELECT label FROM object_labels WHERE object_id = ? ORDER BY label");
  labels.bind(id);
  while (labels.step()) message.labels.push_back(labels.text(0));
  auto unsent = database_.prepare("SELECT 1 FROM posts WHERE vault_object = ? AND state <> 'done' LIMIT 1");
  message.unsent = unsent.bind(id).step();
  return message;
}

std::optional<Reference> ArchiveStore::reference(std::uint64_t objectId, std::uint64_t listId) const {
  auto select = database_.prepare(
      "SELECT list_id, post_id, hidden_at, hidden_by, removed_at FROM object_references "
      "WHERE object_id = ? AND list_id = ?");
  if (!select.bind(objectId, listId).step()) return std::nullopt;
  return readReference(select, objectId, 0);
}

std::vector<std::string> ArchiveStore::recipientsOf(std::uint64_t objectId) const {
  auto select = database_.prepare(
      "SELECT DISTINCT l.recipient FROM posts p JOIN ledger l ON l.post_id = p.id "
      "WHERE p.vault_object = ? AND l.kind = 'content'");
  select.bind(objectId);
  std::vector<std::string> recipients;
  while (select.step()) recipients.push_back(select.text(0));
  return recipients;
}

void ArchiveStore::scan(const std::function<void(const ArchivedMessage&)>& show) const {
  scanFrom(INT64_MIN, UINT64_MAX, show);
}

std::optional<std::uint64_t> ArchiveStore::scanPage(std::optional<std::uint64_t> after, std::uint32_t limit,
                                                    const std::function<void(const ArchivedMessage&)>& show) const {
  return scanFrom(after ? static_cast<std::int64_t>(*after) : INT64_MIN, limit, show);
}

std::optional<std::uint64_t> ArchiveStore::scanFrom(std::int64_t after, std::uint64_t limit,
                                                    const std::function<void(const ArchivedMessage&)>& show) const {
  const auto unsent = unsentObjects(database_);
  LabelCursor labels(database_, after);
  auto select = database_.prepare("SELECT " + std::string(ObjectColumns) +
                                  ", r.list_id, r.post_id, r.hidden_at, r.hidden_by, r.removed_at FROM objects o "
                                  "CROSS JOIN object_references r ON r.object_id = o.id "
                                  "WHERE o.state = 'stored' AND o.id > ? ORDER BY o.id");
  select.bind(after);
  ArchivedMessage message;
  std::uint64_t shown = 0;
  const auto finish = [&] {
    if (message.references.empty()) return;
    labels.take(message.object.id, message.labels);
    message.unsent = unsent.contains(message.object.id);
    show(message);
    ++shown;
    message.references.clear();
  };
  while (select.step()) {
    if (select.unsignedInteger(0) != message.object.id) {
      finish();
      if (shown >= limit) return message.object.id;
      readFacts(select, message.object);
    }
    message.references.push_back(readReference(select, message.object.id, 5));
  }
  finish();
  return std::nullopt;
}

std::vector<std::uint64_t> ArchiveStore::idsAfter(std::uint64_t after, std::uint32_t limit) const {
  auto select = database_.prepare("SELECT id FROM objects WHERE id > ? AND state = 'stored' ORDER BY id LIMIT ?");
  select.bind(after, limit);
  std::vector<std::uint64_t> ids;
  while (select.step()) ids.push_back(select.unsignedInteger(0));
  return ids;
}

// Ids are digests and tell no order; rows are never deleted, so their numbers do.
std::vector<std::uint64_t> ArchiveStore::idsSince(std::uint64_t& mark) const {
  auto select = database_.prepare("SELECT rowid, id, state FROM objects WHERE rowid > ? ORDER BY rowid");
  select.bind(mark);
  std::vector<std::uint64_t> ids;
  while (select.step()) {
    mark = select.unsignedInteger(0);
    if (select.view(2) == "stored") ids.push_back(select.unsignedInteger(1));
  }
  return ids;
}

std::optional<StoredObject> ArchiveStore::storedFacts(std::uint64_t id) const {
  auto select = database_.prepare("SELECT " + std::string(ObjectColumns) +
                                  " FROM objects o WHERE o.id = ? AND o.state = 'stored'");
  if (!select.bind(id).step()) return std::nullopt;
  StoredObject object;
  readFacts(select, object);
  return object;
}

// Ids along the index of receipts, behind an object.
store::Statement ArchiveStore::fromReceipt(Order order, std::uint64_t after) const {
  const bool newest = order == Order::Newest;
  const auto last = after == 0 ? std::nullopt : find(after);
  auto select = database_.prepare(newest ? "SELECT id FROM objects WHERE (received_at, id) < (?, ?) "
                                           "ORDER BY received_at DESC, id DESC"
                                         : "SELECT id FROM objects WHERE (received_at, id) > (?, ?) "
                                           "ORDER BY received_at, id");
  if (last)
    select.bind(last->receivedAt, after);
  else if (newest)
    select.bind(INT64_MAX, INT64_MAX);
  else
    select.bind(INT64_MIN, INT64_MIN);
  return select;
}

std::vector<std::uint64_t> ArchiveStore::receivedNext(Order order, std::uint64_t after, std::uint64_t limit) const {
  std::vector<std::uint64_t> ids;
  auto select = fromReceipt(order, after);
  while (ids.size() < limit && select.step()) ids.push_back(select.unsignedInteger(0));
  return ids;
}

// Along the index of receipts until the page is full. Nothing: that would take longer than looking at each.
std::optional<std::vector<StoredObject>> ArchiveStore::walkByReceipt(std::span<const std::uint64_t> ids, Order order,
                                                                     std::uint64_t after, std::uint64_t limit) const {
  constexpr std::uint64_t StepsForALook = 12;
  auto select = fromReceipt(order, after);
  std::vector<StoredObject> page;
  for (auto steps = ids.size() * StepsForALook; page.size() < limit; --steps) {
    if (!select.step()) return page;
    if (steps == 0) return std::nullopt;
    const auto id = select.unsignedInteger(0);
    if (!std::binary_search(ids.begin(), ids.end(), id)) continue;
    if (auto object = storedFacts(id)) page.push_back(std::move(*object));
  }
  return page;
}

ArchiveStore::Page ArchiveStore::byReceipt(std::span<const std::uint64_t> ids, Order order, std::uint64_t after,
                                           std::uint64_t limit) const {
  constexpr std::size_t Few = 2000;
  if (ids.size() > Few)
    if (auto walked = walkByReceipt(ids, order, after, limit)) return {std::move(*walked), std::nullopt};
  Page page{{}, 0};
  for (const auto id : ids)
    if (auto object = storedFacts(id)) page.objects.push_back(std::move(*object));
  page.stored = page.objects.size();
  // Equal times stand as SQLite has them, so that pages fit together whichever way they were made.
  const auto precedes = [order](const StoredObject& a, const StoredObject& b) {
    const auto& [first, second] = order == Order::Newest ? std::tie(b, a) : std::tie(a, b);
    return std::pair(first.receivedAt, static_cast<std::int64_t>(first.id)) <
           std::pair(second.receivedAt, static_cast<std::int64_t>(second.id));
  };
  std::sort(page.objects.begin(), page.objects.end(), precedes);
  if (const auto last = after == 0 ? std::nullopt : find(after))
    page.objects.erase(page.objects.begin(),
                       std::upper_bound(page.objects.begin(), page.objects.end(), *last, precedes));
  if (page.objects.size() > limit) page.objects.resize(limit);
  return page;
}

std::uint64_t ArchiveStore::count() const {
  auto select = database_.prepare("SELECT stored FROM archive_totals");
  return select.bind().step() ? select.unsignedInteger(0) : 0;
}

bool ArchiveStore::anyOn(std::uint64_t listId) const {
  auto select = database_.prepare(
      "SELECT 1 FROM object_references r JOIN objects o ON o.id = r.object_id "
      "WHERE r.list_id = ? AND o.state <> 'destroyed' LIMIT 1");
  return select.bind(listId).step();
}

bool ArchiveStore::isListInUse(std::uint64_t listId) const {
  auto kept = database_.prepare("SELECT 1 FROM object_references WHERE list_id = ? AND removed_at = 0 LIMIT 1");
  if (kept.bind(listId).step()) return true;
  auto unsent = database_.prepare("SELECT 1 FROM posts WHERE state <> 'done' AND list_id = ? LIMIT 1");
  return unsent.bind(listId).step();
}

bool ArchiveStore::hide(std::uint64_t objectId, std::uint64_t listId, TimePoint at, std::string_view by) {
  database_
      .prepare(
          "UPDATE object_references SET hidden_at = ?, hidden_by = ? WHERE object_id = ? AND list_id = ? AND "
          "hidden_at = 0 AND removed_at = 0")
      .bind(at, by, objectId, listId)
      .run();
  return database_.changes() == 1;
}

bool ArchiveStore::addLabel(std::uint64_t objectId, std::string_view label, TimePoint at) {
  database_.prepare("INSERT INTO object_labels (object_id, label, added_at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING")
      .bind(objectId, label, at)
      .run();
  return database_.changes() == 1;
}

bool ArchiveStore::removeLabel(std::uint64_t objectId, std::string_view label) {
  database_.prepare("DELETE FROM object_labels WHERE object_id = ? AND label = ?").bind(objectId, label).run();
  return database_.changes() == 1;
}

void ArchiveStore::removeReferences(std::span<const std::uint64_t> objectIds, std::uint64_t listId, TimePoint at) {
  database_
      .prepare(
          "UPDATE object_references SET removed_at = ? WHERE object_id IN (SELECT value FROM json_each(?)) AND "
          "list_id = ?")
      .bind(at, idList(objectIds), listId)
      .run();
}

void ArchiveStore::setState(std::span<const std::uint64_t> objectIds, ObjectState state, TimePoint destroyedAt) {
  database_.prepare("UPDATE objects SET state = ?, destroyed_at = ? WHERE id IN (SELECT value FROM json_each(?))")
      .bind(States[static_cast<std::size_t>(state)], destroyedAt, idList(objectIds))
      .run();
}

}  // namespace postern::listd
