#include "listd/quarantine/QuarantineStore.h"

namespace postern::listd {
namespace {

constexpr std::string_view Columns =
    "SELECT q.id, q.accepted_id, q.queue_id, q.object, q.envelope, q.mail_from, q.recipients, q.size, q.cause, "
    "q.detail, q.held_at, q.expires_at, q.state, q.decided_at, q.decided_by, q.destroyed FROM quarantine q ";

// The conditions of a filter. Each is there always, so that one statement serves all. Lists as in ",3,17,".
constexpr std::string_view Where =
    "WHERE (?1 = '' OR q.state = ?1 OR (?1 = 'released' AND q.state = 'releasing')) AND (?2 = '' OR q.cause = ?2) AND "
    "(?3 = '' OR instr(lower(q.mail_from), ?3) > 0) AND (?4 = '' OR EXISTS (SELECT 1 FROM quarantine_lists l WHERE "
    "l.quarantine_id = q.id AND instr(?4, ',' || l.list_id || ',') > 0)) ";

std::string listsIn(const QuarantineStore::Filter& filter) {
  if (filter.allLists) return {};
  std::string numbers = ",";
  for (const auto id : filter.lists) numbers.append(std::to_string(id)).append(",");
  return numbers;
}

HeldMessage readRow(const store::Statement& row) {
  HeldMessage message;
  message.id = row.unsignedInteger(0);
  message.acceptedId = row.unsignedInteger(1);
  message.queueId = row.text(2);
  message.object = row.unsignedInteger(3);
  message.envelope = row.text(4);
  message.mailFrom = row.text(5);
  message.recipients = row.unsignedInteger(6);
  message.size = row.unsignedInteger(7);
  message.cause = row.text(8);
  message.detail = row.text(9);
  message.heldAt = row.time(10);
  message.expiresAt = row.time(11);
  message.state = row.text(12);
  message.decidedAt = row.time(13);
  message.decidedBy = row.text(14);
  message.destroyed = row.integer(15) != 0;
  return message;
}

std::vector<std::uint64_t> numbersOf(store::Statement& select) {
  std::vector<std::uint64_t> numbers;
  while (select.step()) numbers.push_back(select.unsignedInteger(0));
  return numbers;
}

}  // namespace

bool QuarantineStore::add(const HeldMessage& message) {
  database_
      .prepare(
          "INSERT INTO quarantine (accepted_id, queue_id, object, envelope, mail_from, recipients, size, cause, "
          "detail, "
          "held_at, expires_at, state) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'held') ON CONFLICT (accepted_id, "
          "queue_id) DO NOTHING")
      .bind(message.acceptedId, message.queueId, message.object, store::Blob{message.envelope}, message.mailFrom,
            message.recipients, message.size, message.cause, message.detail, message.heldAt, message.expiresAt)
      .run();
  if (database_.changes() == 0) return false;
  const auto id = database_.lastInsertId();
  for (const auto list : message.lists)
    database_.prepare("INSERT INTO quarantine_lists (quarantine_id, list_id) VALUES (?, ?)").bind(id, list).run();
  return true;
}

std::optional<HeldMessage> QuarantineStore::find(std::uint64_t id) const {
  auto select = database_.prepare(std::string(Columns).append("WHERE q.id = ?"));
  if (!select.bind(id).step()) return std::nullopt;
  auto message = readRow(select);
  message.lists = listsOf(id);
  return message;
}

bool QuarantineStore::isKnown(std::uint64_t acceptedId, std::string_view queueId) const {
  auto select = database_.prepare("SELECT 1 FROM quarantine WHERE accepted_id = ? AND queue_id = ?");
  return select.bind(acceptedId, queueId).step();
}

std::vector<HeldMessage> QuarantineStore::page(const Filter& filter, std::uint64_t before, std::uint32_t limit) const {
  auto select = database_.prepare(
      std::string(Columns).append(Where).append("AND (?5 = 0 OR q.id < ?5) ORDER BY q.id DESC LIMIT ?6"));
  select.bind(filter.state, filter.cause, filter.from, listsIn(filter), before, limit);
  return readAll(select);
}

std::uint64_t QuarantineStore::count(const Filter& filter) const {
  auto select = database_.prepare(std::string("SELECT count(*) FROM quarantine q ").append(Where));
  select.bind(filter.state, filter.cause, filter.from, listsIn(filter)).step();
  return select.unsignedInteger(0);
}

void QuarantineStore::decide(std::uint64_t id, std::string_view state, std::string_view by, TimePoint at) {
  database_.prepare("UPDATE quarantine SET state = ?, decided_by = ?, decided_at = ? WHERE id = ? AND state = 'held'")
      .bind(state, by, at, id)
      .run();
}

void QuarantineStore::finishRelease(std::uint64_t id) {
  database_.prepare("UPDATE quarantine SET state = 'released', envelope = x'' WHERE id = ? AND state = 'releasing'")
      .bind(id)
      .run();
}

std::vector<std::uint64_t> QuarantineStore::releasing() const {
  auto select = database_.prepare("SELECT id FROM quarantine WHERE state = 'releasing' ORDER BY id");
  select.bind();
  return numbersOf(select);
}

std::vector<std::uint64_t> QuarantineStore::expired(TimePoint now, std::uint32_t limit) const {
  auto select = database_.prepare(
      "SELECT id FROM quarantine WHERE state = 'held' AND expires_at <= ? ORDER BY expires_at LIMIT ?");
  select.bind(now, limit);
  return numbersOf(select);
}

std::vector<HeldMessage> QuarantineStore::toDestroy(TimePoint triedBefore, std::uint32_t limit) const {
  auto select = database_.prepare(std::string(Columns).append(
      "WHERE q.state IN ('deleted', 'expired') AND q.destroyed = 0 AND q.tried_at < ? ORDER BY q.tried_at LIMIT ?"));
  select.bind(triedBefore, limit);
  return readAll(select);
}

void QuarantineStore::noteTry(std::uint64_t id, bool destroyed, TimePoint at) {
  database_
      .prepare(
          "UPDATE quarantine SET tried_at = ?, destroyed = ?, envelope = x'' WHERE id = ? AND state IN "
          "('deleted', 'expired')")
      .bind(at, destroyed ? 1 : 0, id)
      .run();
}

QuarantineStore::Waiting QuarantineStore::waiting(std::uint64_t listId, TimePoint soon) const {
  auto select = database_.prepare(
      "SELECT count(*), coalesce(sum(q.expires_at <= ?), 0), coalesce(max(q.held_at), 0) FROM quarantine_lists l JOIN "
      "quarantine q ON q.id = l.quarantine_id AND q.state = 'held' WHERE l.list_id = ?");
  select.bind(soon, listId).step();
  return {select.unsignedInteger(0), select.unsignedInteger(1), select.time(2)};
}

std::vector<std::uint64_t> QuarantineStore::listsWithMail() const {
  auto select = database_.prepare(
      "SELECT DISTINCT l.list_id FROM quarantine q JOIN quarantine_lists l ON l.quarantine_id = q.id WHERE q.state = "
      "'held'");
  select.bind();
  return numbersOf(select);
}

void QuarantineStore::trust(std::uint64_t listId, std::string_view address, std::string_view by, TimePoint at) {
  database_
      .prepare(
          "INSERT INTO trusted_senders (list_id, address, added_at, added_by) VALUES (?, ?, ?, ?) ON CONFLICT "
          "(list_id, address) DO NOTHING")
      .bind(listId, address, at, by)
      .run();
}

bool QuarantineStore::distrust(std::uint64_t listId, std::string_view address) {
  database_.prepare("DELETE FROM trusted_senders WHERE list_id = ? AND address = ?").bind(listId, address).run();
  return database_.changes() > 0;
}

bool QuarantineStore::isTrusted(std::uint64_t listId, std::string_view address) const {
  auto select = database_.prepare("SELECT 1 FROM trusted_senders WHERE list_id = ? AND address = ?");
  return select.bind(listId, address).step();
}

std::vector<TrustedSender> QuarantineStore::trusted() const {
  auto select = database_.prepare(
      "SELECT t.list_id, l.address, t.address, t.added_at, t.added_by FROM trusted_senders t JOIN lists l ON l.id = "
      "t.list_id ORDER BY l.address, t.address");
  select.bind();
  std::vector<TrustedSender> senders;
  while (select.step())
    senders.push_back({select.unsignedInteger(0), select.text(1), select.text(2), select.time(3), select.text(4)});
  return senders;
}

std::vector<HeldMessage> QuarantineStore::readAll(store::Statement& select) const {
  std::vector<HeldMessage> messages;
  while (select.step()) messages.push_back(readRow(select));
  for (auto& message : messages) message.lists = listsOf(message.id);
  return messages;
}

std::vector<std::uint64_t> QuarantineStore::listsOf(std::uint64_t id) const {
  auto select = database_.prepare("SELECT list_id FROM quarantine_lists WHERE quarantine_id = ? ORDER BY list_id");
  select.bind(id);
  return numbersOf(select);
}

}  // namespace postern::listd
