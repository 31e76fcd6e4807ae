#include "listd/jobs/JobOrders.h"

namespace postern::listd {

using nlohmann::json;

namespace {

using app::Role;

constexpr std::uint32_t MostShown = 500;
// Only as many of the newest are looked at for a person's own.
constexpr std::uint32_t LookedAt = 2000;

bool maySee(const app::Actor& actor, const Job& job) {
  if (actor.roles.meets(jobReaders(job.kind))) return true;
  return !actor.name.empty() && job.startedBy == actor.name;
}

bool mayStop(const app::Actor& actor, const Job& job) {
  return maySee(actor, job) && !(actor.roles == app::Roles(Role::Auditor) && job.startedBy != actor.name);
}

// Without the arguments: they may name what is searched for.
json viewOf(const Job& job) {
  return {{"id", job.id},
          {"kind", job.kind},
          {"state", job.state},
          {"done", job.done},
          {"total", job.total},
          {"message", job.message},
          {"startedBy", job.startedBy},
          {"createdAt", toMicros(job.createdAt)},
          {"finishedAt", toMicros(job.finishedAt)},
          {"result", job.result}};
}

JobRunner& runnerOf(OrderTools& tools) {
  if (tools.jobs == nullptr) refuse("unavailable", "no jobs run here");
  return *tools.jobs;
}

// Another's job is refused as one that does not exist.
Job requireJob(OrderTools& tools, const OrderCall& call) {
  auto job = runnerOf(tools).find(call.args.id("id"));
  if (!job || !maySee(call.actor, *job)) refuse("not-found", "there is no such job", "see: postern job list");
  return std::move(*job);
}

json listJobs(OrderTools& tools, const OrderCall& call) {
  const auto limit = call.args.number("limit", 50, 1, MostShown);
  auto items = json::array();
  for (const auto& job : runnerOf(tools).newest(LookedAt)) {
    if (items.size() >= limit) break;
    if (maySee(call.actor, job)) items.push_back(viewOf(job));
  }
  return {{"items", std::move(items)}, {"next", ""}};
}

json showJob(OrderTools& tools, const OrderCall& call) {
  return viewOf(requireJob(tools, call));
}

json cancelJob(OrderTools& tools, const OrderCall& call) {
  const auto job = requireJob(tools, call);
  if (!mayStop(call.actor, job)) refuse("refused", "who reads records does not stop work");
  if (!runnerOf(tools).cancel(job.id)) refuse("refused", "the job has ended", "see: postern job show ID");
  call.note.objectType = "job";
  call.note.objectId = std::to_string(job.id);
  change(tools, call, [](SiteTables&) { return true; });
  return viewOf(requireJob(tools, call));
}

constexpr app::Roles Anyone =
    Role::Admin | Role::Officer | Role::Approver | Role::Auditor | Role::Custodian | Role::Owner | Role::Helpdesk;

constexpr OrderRow Table[] = {
    {"job.list", OrderKind::Reads, listJobs, {Anyone, false}},
    {"job.show", OrderKind::Reads, showJob, {Anyone, false}},
    {"job.cancel", OrderKind::Changes, cancelJob, {Anyone, false}},
};

}  // namespace

app::Roles jobReaders(std::string_view kind) {
  if (kind.starts_with("keys.") || kind.starts_with("backup.")) return Role::Admin | Role::Custodian | Role::Auditor;
  if (kind.starts_with("index.")) return Role::Admin | Role::Officer | Role::Auditor;
  if (kind.starts_with("evidence.")) return Role::Auditor;
  return Role::Officer | Role::Auditor;
}

json startJob(OrderTools& tools, const OrderCall& call, std::string_view kind, const json& args) {
  auto& jobs = runnerOf(tools);
  const auto id =
      change(tools, call, [&](SiteTables& tables) { return jobs.start(tables, kind, args, call.actor.name); });
  jobs.wake();
  return {{"job", id}};
}

std::span<const OrderRow> jobOrders() {
  return Table;
}

}  // namespace postern::listd
