#include "listd/retention/RetentionStore.h"

#include "listd/site/IdList.h"

namespace postern::listd {

using nlohmann::json;

namespace {

constexpr std::string_view RunColumns =
    "SELECT id, caller, at, started_at, finished_at, state, started_by, approved, candidates, removed, destroyed, "
    "kept, "
    "words FROM retention_runs ";

Run readRun(const store::Statement& row) {
  Run run;
  run.id = row.unsignedInteger(0);
  run.caller = row.view(1);
  run.at = row.time(2);
  run.startedAt = row.time(3);
  run.finishedAt = row.time(4);
  run.state = row.view(5);
  run.startedBy = row.view(6);
  run.approved = row.unsignedInteger(7);
  run.candidates = row.unsignedInteger(8);
  run.removed = row.unsignedInteger(9);
  run.destroyed = row.unsignedInteger(10);
  run.kept = json::parse(row.view(11)).get<std::map<std::string, std::uint64_t>>();
  run.words = row.view(12);
  return run;
}

std::vector<Run> readRuns(store::Statement& select) {
  std::vector<Run> runs;
  while (select.step()) runs.push_back(readRun(select));
  return runs;
}

constexpr std::string_view DisposalColumns =
    "SELECT object_id, run_id, list_id, state, action, lists, received_at, size, digest, rule_id, rule_version, "
    "retain_until, delete_at, destroyed_at, unrecoverable FROM dispositions ";

records::Action actionFrom(std::string_view word) {
  for (const auto action : {records::Action::Review, records::Action::Anonymise, records::Action::Shred})
    if (word == records::actionWord(action)) return action;
  return records::Action::Purge;
}

Disposal readDisposal(const store::Statement& row) {
  Disposal disposal;
  disposal.objectId = row.unsignedInteger(0);
  disposal.runId = row.unsignedInteger(1);
  disposal.listId = row.unsignedInteger(2);
  disposal.done = row.view(3) == "done";
  disposal.action = actionFrom(row.view(4));
  disposal.lists = row.view(5);
  disposal.receivedAt = row.time(6);
  disposal.size = row.unsignedInteger(7);
  disposal.digest = row.blob(8);
  disposal.ruleId = row.unsignedInteger(9);
  disposal.ruleVersion = static_cast<std::uint32_t>(row.integer(10));
  disposal.retainUntil = row.time(11);
  disposal.deleteAt = row.time(12);
  disposal.destroyedAt = row.time(13);
  disposal.unrecoverable = row.time(14);
  return disposal;
}

Review readReview(const store::Statement& row) {
  return {
      row.unsignedInteger(0), row.unsignedInteger(1), row.unsignedInteger(2), row.time(3), row.text(4), row.time(5)};
}

constexpr std::string_view ReviewColumns = "SELECT object_id, list_id, rule_id, due_at, state, until FROM reviews ";

}  // namespace

std::uint64_t RetentionStore::addWhatIf(const WhatIf& whatIf) {
  database_.prepare("INSERT INTO what_ifs (at, made_at, made_by, draft, result) VALUES (?, ?, ?, ?, ?)")
      .bind(whatIf.at, whatIf.madeAt, whatIf.madeBy, whatIf.draft.dump(), whatIf.result.dump())
      .run();
  return static_cast<std::uint64_t>(database_.lastInsertId());
}

std::optional<WhatIf> RetentionStore::whatIf(std::uint64_t id) const {
  auto select = database_.prepare("SELECT id, at, made_at, made_by, draft, result FROM what_ifs WHERE id = ?");
  if (!select.bind(id).step()) return std::nullopt;
  return WhatIf{select.unsignedInteger(0),  select.time(1), select.time(2), select.text(3), json::parse(select.view(4)),
                json::parse(select.view(5))};
}

std::uint64_t RetentionStore::addRun(const Run& run) {
  database_
      .prepare(
          "INSERT INTO retention_runs (caller, at, started_at, state, started_by, approved) VALUES (?, ?, ?, ?, ?, ?)")
      .bind(run.caller, run.at, run.startedAt, run.state, run.startedBy, run.approved)
      .run();
  return static_cast<std::uint64_t>(database_.lastInsertId());
}

void RetentionStore::update(const Run& run) {
  database_
      .prepare(
          "UPDATE retention_runs SET finished_at = ?, state = ?, approved = ?, candidates = ?, removed = ?, "
          "destroyed = ?, kept = ?, words = ? WHERE id = ?")
      .bind(run.finishedAt, run.state, run.approved, run.candidates, run.removed, run.destroyed, json(run.kept).dump(),
            run.words, run.id)
      .run();
}

std::optional<Run> RetentionStore::run(std::uint64_t id) const {
  auto select = database_.prepare(std::string(RunColumns) + "WHERE id = ?");
  if (!select.bind(id).step()) return std::nullopt;
  return readRun(select);
}

std::vector<Run> RetentionStore::runs(std::uint32_t limit) const {
  auto select = database_.prepare(std::string(RunColumns) + "ORDER BY id DESC LIMIT ?");
  select.bind(limit);
  return readRuns(select);
}

std::vector<Run> RetentionStore::openRuns() const {
  auto select = database_.prepare(std::string(RunColumns) + "WHERE state = 'running' ORDER BY id");
  select.bind();
  return readRuns(select);
}

std::uint64_t RetentionStore::destroyedSince(TimePoint since) const {
  auto select = database_.prepare("SELECT coalesce(sum(destroyed), 0) FROM retention_runs WHERE finished_at > ?");
  select.bind(since).step();
  return select.unsignedInteger(0);
}

std::uint64_t RetentionStore::destroyedByOrdersSince(TimePoint since) const {
  auto select = database_.prepare(
      "SELECT coalesce(sum(destroyed), 0) FROM retention_runs WHERE finished_at > ? AND caller IN ('review', "
      "'erasure')");
  select.bind(since).step();
  return select.unsignedInteger(0);
}

std::optional<TimePoint> RetentionStore::lastScheduled() const {
  auto select = database_.prepare("SELECT max(started_at) FROM retention_runs WHERE caller = 'retention-run'");
  if (!select.bind().step() || select.isNull(0)) return std::nullopt;
  return select.time(0);
}

void RetentionStore::begin(const Disposal& disposal) {
  database_
      .prepare(
          "INSERT INTO dispositions (object_id, run_id, list_id, state, action, lists, received_at, size, digest, "
          "rule_id, rule_version, retain_until, delete_at) VALUES (?, ?, ?, 'begun', ?, ?, ?, ?, ?, ?, ?, ?, ?)")
      .bind(disposal.objectId, disposal.runId, disposal.listId, records::actionWord(disposal.action), disposal.lists,
            disposal.receivedAt, disposal.size, store::Blob{disposal.digest}, disposal.ruleId, disposal.ruleVersion,
            disposal.retainUntil, disposal.deleteAt)
      .run();
}

void RetentionStore::undo(std::uint64_t objectId) {
  database_.prepare("DELETE FROM dispositions WHERE object_id = ? AND state = 'begun'").bind(objectId).run();
}

std::uint64_t RetentionStore::finish(std::span<const std::uint64_t> objectIds, TimePoint at, TimePoint unrecoverable) {
  database_
      .prepare(
          "UPDATE dispositions SET state = 'done', destroyed_at = ?, unrecoverable = ? WHERE object_id IN (SELECT "
          "value FROM json_each(?)) AND +state = 'begun'")
      .bind(at, unrecoverable, idList(objectIds))
      .run();
  return database_.changes();
}

std::vector<Disposal> RetentionStore::begun(std::uint32_t limit) const {
  auto select = database_.prepare(std::string(DisposalColumns) + "WHERE state = 'begun' ORDER BY object_id LIMIT ?");
  select.bind(limit);
  std::vector<Disposal> found;
  while (select.step()) found.push_back(readDisposal(select));
  return found;
}

std::optional<Disposal> RetentionStore::disposal(std::uint64_t objectId) const {
  auto select = database_.prepare(std::string(DisposalColumns) + "WHERE object_id = ?");
  if (!select.bind(objectId).step()) return std::nullopt;
  return readDisposal(select);
}

void RetentionStore::forEachLine(std::uint64_t runId, const std::function<void(const Disposal&)>& show) const {
  auto select =
      database_.prepare(std::string(DisposalColumns) + "WHERE run_id = ? AND state = 'done' ORDER BY object_id");
  select.bind(runId);
  while (select.step()) show(readDisposal(select));
}

std::uint64_t RetentionStore::lineCount(std::uint64_t runId) const {
  auto select = database_.prepare("SELECT count(*) FROM dispositions WHERE run_id = ? AND state = 'done'");
  select.bind(runId).step();
  return select.unsignedInteger(0);
}

std::vector<Disposal> RetentionStore::lines(std::uint64_t runId, std::uint64_t after, std::uint32_t limit) const {
  auto select = database_.prepare(std::string(DisposalColumns) +
                                  "WHERE run_id = ? AND object_id > ? AND state = 'done' ORDER BY object_id LIMIT ?");
  select.bind(runId, after, limit);
  std::vector<Disposal> found;
  while (select.step()) found.push_back(readDisposal(select));
  return found;
}

bool RetentionStore::isListGone(std::uint64_t listId) const {
  auto select = database_.prepare("SELECT 1 FROM list_dispositions WHERE list_id = ?");
  return select.bind(listId).step();
}

std::uint64_t RetentionStore::forgetList(std::uint64_t listId) {
  std::uint64_t members = 0;
  for (const auto* statement :
       {"DELETE FROM members WHERE list_id = ?", "DELETE FROM former_members WHERE list_id = ?"}) {
    database_.prepare(statement).bind(listId).run();
    members += static_cast<std::uint64_t>(database_.changes());
  }
  database_.prepare("DELETE FROM member_counts WHERE list_id = ?").bind(listId).run();
  database_.prepare("DELETE FROM list_keys WHERE list_id = ?").bind(listId).run();
  for (const auto* statement :
       {"DELETE FROM list_subscription WHERE list_id = ?", "DELETE FROM subscription_requests WHERE list_id = ?",
        "DELETE FROM bans WHERE list_id = ?", "DELETE FROM member_sources WHERE list_id = ?",
        "DELETE FROM departures WHERE list_id = ?", "DELETE FROM brought_members WHERE list_id = ?"})
    database_.prepare(statement).bind(listId).run();
  database_
      .prepare(
          "UPDATE lists SET display_name = '', description = '', certificate = x'', fingerprint = '', "
          "certificate_chain = '', openpgp_key = x'', openpgp_fingerprint = '', publish_keys = 0, state = 'closed' "
          "WHERE id = ?")
      .bind(listId)
      .run();
  return members;
}

void RetentionStore::addListDisposal(const ListDisposal& list) {
  database_
      .prepare(
          "INSERT INTO list_dispositions (list_id, run_id, address, members, deleted_at, destroyed_at, unrecoverable) "
          "VALUES (?, ?, ?, ?, ?, ?, ?)")
      .bind(list.listId, list.runId, list.address, list.members, list.deletedAt, list.destroyedAt, list.unrecoverable)
      .run();
}

std::vector<ListDisposal> RetentionStore::listLines(std::uint64_t runId) const {
  auto select = database_.prepare(
      "SELECT list_id, run_id, address, members, deleted_at, destroyed_at, unrecoverable FROM list_dispositions "
      "WHERE run_id = ? ORDER BY list_id");
  select.bind(runId);
  std::vector<ListDisposal> found;
  while (select.step())
    found.push_back({select.unsignedInteger(0), select.unsignedInteger(1), select.text(2), select.unsignedInteger(3),
                     select.time(4), select.time(5), select.time(6)});
  return found;
}

std::uint64_t RetentionStore::addCertificate(const Certificate& certificate) {
  database_
      .prepare(
          "INSERT INTO certificates (run_id, made_at, lines, body, signature, public_key) VALUES (?, ?, ?, ?, ?, ?)")
      .bind(certificate.runId, certificate.madeAt, certificate.lines, certificate.body,
            store::Blob{certificate.signature}, store::Blob{certificate.publicKey})
      .run();
  return static_cast<std::uint64_t>(database_.lastInsertId());
}

std::optional<Certificate> RetentionStore::certificate(std::uint64_t id) const {
  auto select = database_.prepare(
      "SELECT id, run_id, made_at, lines, body, signature, public_key FROM certificates WHERE id = ?");
  if (!select.bind(id).step()) return std::nullopt;
  return Certificate{select.unsignedInteger(0),
                     select.unsignedInteger(1),
                     select.time(2),
                     select.unsignedInteger(3),
                     select.text(4),
                     select.blob(5),
                     select.blob(6)};
}

std::optional<std::uint64_t> RetentionStore::certificateOfRun(std::uint64_t runId) const {
  auto select = database_.prepare("SELECT id FROM certificates WHERE run_id = ?");
  if (!select.bind(runId).step()) return std::nullopt;
  return select.unsignedInteger(0);
}

std::vector<Certificate> RetentionStore::certificates(std::uint64_t before, std::uint32_t limit) const {
  auto select = database_.prepare(
      "SELECT id, run_id, made_at, lines FROM certificates WHERE ? = 0 OR id < ? ORDER BY id DESC LIMIT ?");
  select.bind(before, before, limit);
  std::vector<Certificate> found;
  while (select.step())
    found.push_back(
        {select.unsignedInteger(0), select.unsignedInteger(1), select.time(2), select.unsignedInteger(3), {}, {}, {}});
  return found;
}

void RetentionStore::askReview(const Review& review) {
  // A reference that was kept to a day comes back once that day is over.
  database_
      .prepare(
          "INSERT INTO reviews (object_id, list_id, rule_id, due_at, state) VALUES (?, ?, ?, ?, 'waiting') "
          "ON CONFLICT (object_id, list_id) DO UPDATE SET state = 'waiting', rule_id = excluded.rule_id "
          "WHERE reviews.state = 'kept'")
      .bind(review.objectId, review.listId, review.ruleId, review.dueAt)
      .run();
}

void RetentionStore::decideReview(const Review& review, TimePoint at, std::string_view by, std::string_view reason) {
  database_
      .prepare(
          "UPDATE reviews SET state = ?, until = ?, decided_at = ?, decided_by = ?, reason = ? WHERE object_id = ? AND "
          "list_id = ?")
      .bind(review.state, review.until, at, by, reason, review.objectId, review.listId)
      .run();
}

std::optional<Review> RetentionStore::review(std::uint64_t objectId, std::uint64_t listId) const {
  auto select = database_.prepare(std::string(ReviewColumns) + "WHERE object_id = ? AND list_id = ?");
  if (!select.bind(objectId, listId).step()) return std::nullopt;
  return readReview(select);
}

std::vector<Review> RetentionStore::waiting(std::uint32_t limit, std::uint64_t after) const {
  auto select = database_.prepare(std::string(ReviewColumns) +
                                  "WHERE state = 'waiting' ORDER BY due_at, object_id, list_id LIMIT ? OFFSET ?");
  select.bind(limit, after);
  std::vector<Review> found;
  while (select.step()) found.push_back(readReview(select));
  return found;
}

std::vector<Review> RetentionStore::decided() const {
  auto select = database_.prepare(std::string(ReviewColumns) + "WHERE state <> 'waiting'");
  select.bind();
  std::vector<Review> found;
  while (select.step()) found.push_back(readReview(select));
  return found;
}

std::uint64_t RetentionStore::waitingCount() const {
  auto select = database_.prepare("SELECT count(*) FROM reviews WHERE state = 'waiting'");
  select.bind().step();
  return select.unsignedInteger(0);
}

std::optional<CountedArchive> RetentionStore::counted() const {
  auto select = database_.prepare("SELECT as_of, policy, counts FROM archive_counts WHERE id = 1");
  if (!select.bind().step()) return std::nullopt;
  return CountedArchive{select.time(0), select.text(1), json::parse(select.view(2))};
}

void RetentionStore::setCounted(const CountedArchive& counted) {
  database_.prepare("INSERT OR REPLACE INTO archive_counts (id, as_of, policy, counts) VALUES (1, ?, ?, ?)")
      .bind(counted.asOf, counted.policy, counted.counts.dump())
      .run();
}

std::optional<ClockState> RetentionStore::clock() const {
  auto select = database_.prepare("SELECT beat_at, distrusted_at, reason FROM clock_guard WHERE id = 1");
  if (!select.bind().step()) return std::nullopt;
  ClockState state{select.time(0), std::nullopt, select.text(2)};
  if (select.integer(1) != 0) state.distrustedAt = select.time(1);
  return state;
}

void RetentionStore::beat(TimePoint at) {
  database_
      .prepare(
          "INSERT INTO clock_guard (id, beat_at) VALUES (1, ?) ON CONFLICT (id) DO UPDATE SET beat_at = "
          "excluded.beat_at")
      .bind(at)
      .run();
}

void RetentionStore::distrustClock(TimePoint at, std::string_view reason) {
  database_.prepare("UPDATE clock_guard SET distrusted_at = ?, reason = ? WHERE id = 1").bind(at, reason).run();
}

void RetentionStore::trustClock(TimePoint at) {
  beat(at);
  database_.execute("UPDATE clock_guard SET distrusted_at = 0, reason = '' WHERE id = 1");
}

void RetentionStore::purgePosts(std::span<const std::uint64_t> objectIds) {
  std::vector<std::uint64_t> posts, copies;
  auto ofObjects = database_.prepare(
      "SELECT p.id FROM json_each(?) AS w CROSS JOIN posts p ON p.vault_object = w.value ORDER BY p.id");
  for (ofObjects.bind(idList(objectIds)); ofObjects.step();) posts.push_back(ofObjects.unsignedInteger(0));
  const auto purged = idList(posts);
  auto ofPosts =
      database_.prepare("SELECT l.id FROM json_each(?) AS w CROSS JOIN ledger l ON l.post_id = w.value ORDER BY l.id");
  for (ofPosts.bind(purged); ofPosts.step();) copies.push_back(ofPosts.unsignedInteger(0));
  const auto gone = idList(copies);
  for (const auto* sql : {"DELETE FROM attempts WHERE ledger_id IN (SELECT value FROM json_each(?))",
                          "DELETE FROM ledger WHERE id IN (SELECT value FROM json_each(?))"})
    database_.prepare(sql).bind(gone).run();
  for (const auto* sql :
       {"DELETE FROM journeys WHERE post_id IN (SELECT value FROM json_each(?))",
        "UPDATE posts SET message_id = '', mail_from = '', client = '{}', sender_check = '' WHERE id IN (SELECT value "
        "FROM json_each(?))"})
    database_.prepare(sql).bind(purged).run();
}

void RetentionStore::anonymisePosts(std::uint64_t objectId,
                                    const std::function<std::string(std::string_view)>& pseudonym) {
  std::vector<std::pair<std::uint64_t, std::string>> rows;
  {
    auto select = database_.prepare(
        "SELECT id, recipient FROM ledger WHERE post_id IN (SELECT id FROM posts WHERE vault_object = ?)");
    select.bind(objectId);
    while (select.step()) rows.emplace_back(select.unsignedInteger(0), pseudonym(select.view(1)));
  }
  for (const auto& [id, name] : rows) {
    database_.prepare("UPDATE ledger SET recipient = ?, key_fingerprint = '' WHERE id = ?").bind(name, id).run();
    // What the other side said may name the person again.
    database_.prepare("UPDATE attempts SET reply_text = '' WHERE ledger_id = ?").bind(id).run();
  }
  std::string from;
  {
    auto select = database_.prepare("SELECT mail_from FROM posts WHERE vault_object = ? LIMIT 1");
    if (!select.bind(objectId).step()) return;
    from = select.view(0).empty() ? std::string() : pseudonym(select.view(0));
  }
  database_
      .prepare(
          "UPDATE posts SET message_id = '', mail_from = ?, client = '{}', sender_check = '' WHERE vault_object = ?")
      .bind(from, objectId)
      .run();
  // Names and addresses of the author's machines.
  database_.prepare("DELETE FROM journeys WHERE post_id IN (SELECT id FROM posts WHERE vault_object = ?)")
      .bind(objectId)
      .run();
}

}  // namespace postern::listd
