#include "listd/jobs/JobStore.h"

namespace postern::listd {

using nlohmann::json;

namespace {

constexpr std::string_view Columns =
    "id, kind, args, state, done, total, message, started_by, created_at, finished_at, result, checkpoint, cancelling";

std::string selectWhere(std::string_view rest) {
  return "SELECT " + std::string(Columns) + " FROM jobs " + std::string(rest);
}

json parsed(std::string_view text) {
  return text.empty() ? json() : json::parse(text);
}

Job jobOf(const store::Statement& row) {
  Job job;
  job.id = row.unsignedInteger(0);
  job.kind = row.text(1);
  job.args = parsed(row.view(2));
  job.state = row.text(3);
  job.done = row.unsignedInteger(4);
  job.total = row.unsignedInteger(5);
  job.message = row.text(6);
  job.startedBy = row.text(7);
  job.createdAt = row.time(8);
  job.finishedAt = row.time(9);
  job.result = parsed(row.view(10));
  return job;
}

}  // namespace

std::optional<std::uint64_t> JobStore::findOpen(std::string_view kind, const json& args) const {
  auto select = database_.prepare(
      "SELECT id FROM jobs WHERE kind = ? AND state IN ('waiting', 'running') AND args = ? AND cancelling = 0");
  if (!select.bind(kind, args.dump()).step()) return std::nullopt;
  return select.unsignedInteger(0);
}

std::uint64_t JobStore::add(std::string_view kind, const json& args, std::string_view startedBy, TimePoint now) {
  auto newest = database_.prepare("SELECT COALESCE(MAX(id), 0) + 1 FROM jobs");
  newest.bind().step();
  const auto id = newest.unsignedInteger(0);
  database_
      .prepare("INSERT INTO jobs (id, kind, args, state, started_by, created_at) VALUES (?, ?, ?, 'waiting', ?, ?)")
      .bind(id, kind, args.dump(), startedBy, now)
      .run();
  return id;
}

std::optional<Job> JobStore::find(std::uint64_t id) const {
  auto select = database_.prepare(selectWhere("WHERE id = ?"));
  if (!select.bind(id).step()) return std::nullopt;
  return jobOf(select);
}

std::vector<Job> JobStore::newest(std::uint32_t limit) const {
  auto select = database_.prepare(selectWhere("ORDER BY id DESC LIMIT ?"));
  select.bind(limit);
  std::vector<Job> jobs;
  while (select.step()) jobs.push_back(jobOf(select));
  return jobs;
}

std::optional<JobStore::Next> JobStore::next(std::string_view kind) const {
  auto select = database_.prepare(
      selectWhere("WHERE kind = ? AND state IN ('waiting', 'running') ORDER BY state = 'waiting', id LIMIT 1"));
  if (!select.bind(kind).step()) return std::nullopt;
  return Next{jobOf(select), parsed(select.view(11)), select.boolean(12)};
}

void JobStore::setRunning(std::uint64_t id) {
  database_.prepare("UPDATE jobs SET state = 'running' WHERE id = ?").bind(id).run();
}

void JobStore::setProgress(std::uint64_t id, std::uint64_t done, std::uint64_t total, std::string_view message) {
  database_.prepare("UPDATE jobs SET done = ?, total = ?, message = ? WHERE id = ?")
      .bind(done, total, message, id)
      .run();
}

void JobStore::setCheckpoint(std::uint64_t id, const json& checkpoint) {
  database_.prepare("UPDATE jobs SET checkpoint = ? WHERE id = ?").bind(checkpoint.dump(), id).run();
}

void JobStore::end(const Job& job) {
  database_
      .prepare("UPDATE jobs SET state = ?, done = ?, total = ?, message = ?, result = ?, finished_at = ? WHERE id = ?")
      .bind(job.state, job.done, job.total, job.message, job.result.is_null() ? std::string() : job.result.dump(),
            job.finishedAt, job.id)
      .run();
}

bool JobStore::cancel(std::uint64_t id, TimePoint now) {
  database_.prepare("UPDATE jobs SET state = 'cancelled', finished_at = ? WHERE id = ? AND state = 'waiting'")
      .bind(now, id)
      .run();
  if (database_.changes() > 0) return true;
  database_.prepare("UPDATE jobs SET cancelling = 1 WHERE id = ? AND state = 'running'").bind(id).run();
  return database_.changes() > 0;
}

bool JobStore::isCancelling(std::uint64_t id) const {
  auto select = database_.prepare("SELECT 1 FROM jobs WHERE id = ? AND cancelling = 1");
  return select.bind(id).step();
}

}  // namespace postern::listd
