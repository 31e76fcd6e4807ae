#include "listd/retention/Retention.h"

#include "core/base/Codec.h"
#include "core/base/Error.h"
#include "core/base/Log.h"
#include "core/base/Periodic.h"
#include "listd/audit/Checkpoints.h"
#include "listd/retention/ArchiveCounts.h"
#include "listd/retention/BlastGuard.h"
#include "listd/retention/ClockGuard.h"
#include "listd/retention/Recording.h"

namespace postern::listd {

using nlohmann::json;
using vault::Journal;

namespace {

constexpr std::string_view RunJob = "retention.run";
constexpr std::chrono::hours RunInterval{24};

json payloadOf(const records::Rule& rule) {
  return {{"rule", rule.json()}, {"id", rule.id}, {"effectiveFrom", toMicros(rule.effectiveFrom)}};
}

std::optional<records::Rule> ruleFrom(std::string_view payload) {
  const auto read = json::parse(payload, nullptr, false);
  if (!read.is_object() || !read.contains("rule")) return std::nullopt;
  auto rule = records::Rule::parse(read.at("rule"));
  if (!rule) return std::nullopt;
  rule->id = read.value("id", std::uint64_t{0});
  rule->effectiveFrom = fromMicros(read.value("effectiveFrom", std::int64_t{0}));
  return std::move(*rule);
}

}  // namespace

Retention::Retention(SiteContext& context, ContentAnswers* answers)
    : context_(context), answers_(answers), gate_(context, answers) {
  gate_.finishBegun();
  restoreFloors();
  markTombstones();
}

// The newest word of the journal about each floor must be in force, or something stronger.
void Retention::restoreFloors() {
  std::map<std::uint64_t, records::Rule> floors;
  std::optional<std::string> unreadable;
  context_.journal.forEach([&](const Journal::Record& record) {
    if (record.kind != Journal::Kind::FloorLocked) return;
    auto rule = ruleFrom(record.payload);
    if (!rule) {
      unreadable = "record " + std::to_string(record.number) + " of the register, a locked floor, cannot be read";
      return;
    }
    floors.insert_or_assign(rule->id, std::move(*rule));
  });
  if (unreadable) context_.journal.distrust(*unreadable);
  if (floors.empty()) return;
  const auto now = context_.clock.now();
  context_.site.write([&](SiteTables& tables) {
    const auto current = tables.rules.inForce(records::Never);
    for (const auto& entry : floors) {
      const auto& floor = entry.second;
      const auto found =
          std::find_if(current.begin(), current.end(), [&](const auto& one) { return one.id == floor.id; });
      const auto* known = found == current.end() ? nullptr : &*found;
      if (!records::lockForbids(floor, known)) continue;
      auto restored = floor;
      restored.effectiveFrom = std::min(floor.effectiveFrom, now);
      // Another rule may have taken the id in a restored database.
      if (known != nullptr && known->tier != records::Tier::Floor) restored.id = 0;
      tables.rules.add({restored, false, now, "(register)", "a restore had lost this locked floor", 0});
    }
  });
}

// A restored database may think that it has what was destroyed.
void Retention::markTombstones() {
  std::vector<std::uint64_t> tombstones;
  std::optional<std::string> unreadable;
  context_.journal.forEach([&](const Journal::Record& record) {
    if (record.kind != Journal::Kind::Tombstone) return;
    try {  // the boundary of one record: the others count all the same
      Reader reader(record.payload);
      for (const auto id : reader.list<std::uint64_t>([](Reader& from) { return from.u64(); }))
        tombstones.push_back(id);
    } catch (const Error& error) {
      unreadable = "record " + std::to_string(record.number) + " of the register cannot be read: " + error.message();
    }
  });
  if (unreadable) context_.journal.distrust(*unreadable);
  const auto alive = context_.site.read([&](SiteTables& tables) {
    std::vector<std::uint64_t> found;
    for (const auto id : tombstones)
      if (const auto object = tables.archive.find(id); object && object->state == ObjectState::Stored)
        found.push_back(id);
    return found;
  });
  if (alive.empty()) return;
  const auto now = context_.clock.now();
  context_.site.write([&](SiteTables& tables) {
    for (const auto id : alive) {
      if (context_.keys.hasObjectKey(id)) continue;  // the vault takes it away at its start
      tables.archive.setState(id, ObjectState::Destroyed, now);
      tables.retention.purgePosts(id);
    }
  });
}

void Retention::addTo(JobRunner& jobs) {
  addDisposalJob(jobs, context_, gate_, answers_);
  jobs.add(std::string(RunJob), [this](JobContext& job) -> json {
    RetentionRun run(context_, gate_, answers_);
    const auto id = job.job().args.at("run").get<std::uint64_t>();
    const auto ended = run.go(id, [&](std::uint64_t done, std::uint64_t total) {
      job.progress(done, total, "looking at what is due");
      return !job.stopRequested();
    });
    if (ended.state == "done") makeCheckpoint(context_, CheckpointIf::Changed);
    return {{"run", id}, {"state", ended.state}, {"destroyed", ended.destroyed}, {"words", ended.words}};
  });
}

std::uint64_t startRun(SiteTables& tables, JobRunner& jobs, TimePoint at, TimePoint now, const std::string& by,
                       std::uint64_t approved) {
  Run run;
  run.caller = callerWord(DestructionCaller::RetentionRun);
  run.at = at;
  run.startedAt = now;
  run.startedBy = by;
  run.approved = approved;
  const auto id = tables.retention.addRun(run);
  return jobs.start(tables, RunJob, {{"run", id}}, by);
}

RuleVersion enact(SiteContext& context, SiteTables& tables, RuleVersion version) {
  auto stored = tables.rules.add(std::move(version));
  if (stored.rule.locked && !stored.removed)
    context.journal.append(Journal::Kind::FloorLocked, payloadOf(stored.rule).dump());
  notePolicyVersion(tables, context.clock.now());
  return stored;
}

RetentionSchedule::RetentionSchedule(SiteContext& context, JobRunner& jobs) : context_(context), jobs_(jobs) {
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

TimePoint RetentionSchedule::nextRun(SiteTables& tables, TimePoint now) {
  const auto last = tables.retention.lastScheduled();
  return last ? std::max(*last + RunInterval, now) : now;
}

void RetentionSchedule::minute() {
  const auto now = context_.clock.now();
  const bool started = context_.site.write([&](SiteTables& tables) {
    if (const auto trouble = heartbeat(tables, now)) return false;
    if (!tables.retention.openRuns().empty() || nextRun(tables, now) > now) return false;
    startRun(tables, jobs_, now, now, "schedule", 0);
    return true;
  });
  if (started) jobs_.wake();
}

void RetentionSchedule::run(const std::stop_token& stop) {
  repeatUntilStopped(stop, std::chrono::minutes(1), [this] {
    try {  // the boundary of a queue job: it is tried again in a minute
      minute();
    } catch (const std::exception& error) {
      log::error("retention", "the store cannot be written", {{"error", error.what()}});
    }
  });
}

}  // namespace postern::listd
