#include "listd/requests/RequestStore.h"

#include "core/base/Error.h"

namespace postern::listd {
namespace {

using nlohmann::json;

constexpr std::chrono::days ReminderInterval{7};

std::string rowsWhere(std::string_view rest) {
  std::string sql =
      "SELECT id, kind, payload, before, after, what_if, title, reason, requester, created_at, state, decider, "
      "decision, decided_at, delay_seconds, effective_at, lone, decide_at, announcement, confidential FROM requests "
      "WHERE ";
  return sql.append(rest);
}

json parsed(const store::Statement& row, int column) {
  auto value = json::parse(row.view(column), nullptr, false);
  if (value.is_discarded()) throw Error(ErrorKind::Store, "site.db holds a request that cannot be read");
  return value;
}

Request readRequest(const store::Statement& row) {
  Request request;
  request.id = row.unsignedInteger(0);
  request.kind = row.text(1);
  request.payload = parsed(row, 2);
  request.before = parsed(row, 3);
  request.after = parsed(row, 4);
  request.whatIf = parsed(row, 5);
  request.title = row.text(6);
  request.reason = row.text(7);
  request.requester = row.text(8);
  request.createdAt = row.time(9);
  request.state = row.text(10);
  request.decider = row.text(11);
  request.decision = row.text(12);
  request.decidedAt = row.time(13);
  request.delay = std::chrono::seconds(row.integer(14));
  request.effectiveAt = row.time(15);
  request.lone = row.boolean(16);
  request.decideAt = row.time(17);
  request.announcement = row.unsignedInteger(18);
  request.confidential = row.boolean(19);
  return request;
}

std::vector<Request> readAll(store::Statement& select) {
  std::vector<Request> requests;
  while (select.step()) requests.push_back(readRequest(select));
  return requests;
}

}  // namespace

std::uint64_t RequestStore::add(const Request& request) {
  database_
      .prepare(
          "INSERT INTO requests (kind, payload, before, after, what_if, title, reason, requester, created_at, state, "
          "delay_seconds, lone, decide_at, confidential) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
      .bind(request.kind, request.payload.dump(), request.before.dump(), request.after.dump(), request.whatIf.dump(),
            request.title, request.reason, request.requester, request.createdAt, request.state, request.delay.count(),
            request.lone, request.decideAt, request.confidential)
      .run();
  return static_cast<std::uint64_t>(database_.lastInsertId());
}

std::optional<Request> RequestStore::find(std::uint64_t id) const {
  auto select = database_.prepare(rowsWhere("id = ?"));
  if (!select.bind(id).step()) return std::nullopt;
  return readRequest(select);
}

std::vector<Request> RequestStore::page(std::string_view state, std::uint64_t before, std::uint32_t limit) const {
  auto select = database_.prepare(rowsWhere("(? = '' OR state = ?) AND (? = 0 OR id < ?) ORDER BY id DESC LIMIT ?"));
  select.bind(state, state, before, before, limit);
  return readAll(select);
}

std::vector<Request> RequestStore::waiting() const {
  auto select = database_.prepare(rowsWhere("state = 'waiting' ORDER BY id"));
  select.bind();
  return readAll(select);
}

std::vector<std::uint64_t> RequestStore::due(TimePoint now) const {
  auto select = database_.prepare(
      "SELECT id FROM requests WHERE (state = 'waiting' AND lone = 1 AND decide_at <= ?) OR (state = 'approved' AND "
      "effective_at <= ?) ORDER BY id");
  select.bind(now, now);
  std::vector<std::uint64_t> ids;
  while (select.step()) ids.push_back(select.unsignedInteger(0));
  return ids;
}

void RequestStore::update(const Request& request) {
  database_
      .prepare(
          "UPDATE requests SET state = ?, decider = ?, decision = ?, decided_at = ?, effective_at = ?, lone = ?, "
          "announcement = ? WHERE id = ?")
      .bind(request.state, request.decider, request.decision, request.decidedAt, request.effectiveAt, request.lone,
            request.announcement, request.id)
      .run();
}

void RequestStore::addWords(std::uint64_t id, const Words& words) {
  database_.prepare("INSERT INTO request_words (request_id, at, person, words) VALUES (?, ?, ?, ?)")
      .bind(id, words.at, words.person, words.words)
      .run();
}

std::vector<RequestStore::Words> RequestStore::wordsOf(std::uint64_t id) const {
  auto select = database_.prepare("SELECT at, person, words FROM request_words WHERE request_id = ? ORDER BY rowid");
  select.bind(id);
  std::vector<Words> all;
  while (select.step()) all.push_back({select.time(0), select.text(1), select.text(2)});
  return all;
}

bool RequestStore::takeReminder(std::string_view person, TimePoint now) {
  database_
      .prepare(
          "INSERT INTO request_reminders (person, sent_at) VALUES (?, ?) ON CONFLICT (person) DO UPDATE SET sent_at = "
          "excluded.sent_at WHERE request_reminders.sent_at <= ?")
      .bind(person, now, now - ReminderInterval)
      .run();
  return database_.changes() > 0;
}

}  // namespace postern::listd
