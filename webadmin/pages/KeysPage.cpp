#include "webadmin/pages/Pages.h"
#include "webadmin/RecordViews.h"
#include "webadmin/RecordWords.h"
#include "webadmin/Views.h"
#include "webadmin/Words.h"

// Keys at rest and the long work of the site: what is encrypted under which key, rotation, backups of keys, jobs.
namespace postern::webadmin::pages {

using nlohmann::json;
using enum app::Role;

namespace {

std::string jobKind(const std::string& word) {
  constexpr std::array<std::pair<std::string_view, const char*>, 7> Kinds = {
      {{"keys.rotate", "Rotation of keys"},
       {"index.build", "Building the search index"},
       {"index.rebuild", "Building the search index"},
       {"export", "Export"},
       {"export.make", "Export"},
       {"evidence.pack", "Evidence pack"},
       {"retention.run", "Retention run"}}};
  for (const auto& [kind, text] : Kinds)
    if (kind == word) return text;
  return word;
}

json jobRow(const json& job, TimePoint now) {
  const auto state = views::text(job, "state");
  const auto done = views::number(job, "done"), total = views::number(job, "total");
  const bool open = state == "waiting" || state == "running";
  return {
      {"id", views::text(job, "id")},
      {"kind", jobKind(views::text(job, "kind"))},
      {"badge", {{"text", state == "done" ? "Done" : words::recordState(state)}, {"tone", words::recordTone(state)}}},
      {"open", open},
      {"measured", open && total > 0},
      {"value", done},
      {"max", total},
      {"progress", open && total ? words::count(done) + " of " + words::count(total) : std::string()},
      {"message", state == "done" ? std::string() : words::sentence(views::text(job, "message"))},
      {"startedBy", views::text(job, "startedBy")},
      {"createdAt", views::moment(job, "createdAt", now)},
      {"finishedAt", views::moment(job, "finishedAt", now)}};
}

json rotationOf(const Visit& visit, const json& rotation) {
  const auto id = views::text(rotation, "job");
  if (id.empty()) return nullptr;
  return jobRow(visit.order("job.show", {{"id", id}}), visit.now());
}

json backupOf(const json& backup, TimePoint now) {
  constexpr std::uint64_t Old = 7 * 24 * 3600;
  const auto age = backup.find("age");
  const bool none = age == backup.end() || age->is_null();
  const bool old = none || views::number(backup, "age") > Old;
  return {{"at", views::moment(backup, "at", now)},
          {"keepDays", views::text(backup, "keepDays")},
          {"badge",
           {{"text", none  ? "Never made"
                     : old ? "Older than a week"
                           : "Fresh"},
            {"tone", old ? "bad" : "good"}}}};
}

Response drawKeys(const Visit& visit, int status, const json& refusal) {
  const auto now = visit.now();
  const auto keys = visit.order("keys.status");
  const auto& root = views::part(keys, "rootKey");
  const auto current = views::number(keys, "current"), total = views::number(keys, "total");
  json epochs = json::array();
  for (const auto& epoch : views::part(keys, "epochs"))
    epochs.push_back({{"list", views::text(epoch, "list")},
                      {"epoch", views::text(epoch, "epoch")},
                      {"createdAt", views::moment(epoch, "createdAt", now)},
                      {"objects", words::count(views::number(epoch, "objects"))},
                      {"current", views::flag(epoch, "current")}});
  const bool none = epochs.empty();
  const auto rotation = rotationOf(visit, views::part(keys, "rotation"));
  const bool rotating = !rotation.is_null() && rotation["open"] == true;
  return visit.page("keys", {"Keys at rest", "keys", status},
                    {{"source", views::text(root, "source")},
                     {"rootEpoch", views::text(root, "epoch")},
                     {"since", views::moment(root, "since", now)},
                     {"current", words::count(current)},
                     {"total", words::count(total)},
                     {"allCurrent", current == total},
                     {"epochs", epochs},
                     {"none", none},
                     {"rotation", rotation},
                     {"rotating", rotating},
                     {"vault", words::size(views::number(keys, "vaultBytes"))},
                     {"backup", backupOf(views::part(keys, "backup"), now)},
                     {"mayChange", views::may(visit, Admin | Custodian)},
                     {"refusal", refusal}});
}

}  // namespace

Response keys(Visit& visit) {
  return drawKeys(visit, 200, nullptr);
}

Response rotateKeys(Visit& visit) {
  try {
    visit.order("keys.rotate", {{"what", visit.request.form.get("what", "lists")}});
  } catch (const app::OrderRefused& refused) {
    return drawKeys(visit, 422, views::refusal(refused));
  }
  return Response::redirect("/keys?done=rotation-started");
}

Response backUpKeys(Visit& visit) {
  try {
    visit.order("keys.backup");
  } catch (const app::OrderRefused& refused) {
    return drawKeys(visit, 422, views::refusal(refused));
  }
  return Response::redirect("/keys?done=keys-backed-up");
}

Response jobs(Visit& visit) {
  json rows = json::array();
  const auto listed = visit.order("job.list", {{"limit", 100}});
  for (const auto& job : views::part(listed, "items")) rows.push_back(jobRow(job, visit.now()));
  const bool none = rows.empty();
  return visit.page("jobs", {"Jobs", "jobs"}, {{"rows", rows}, {"none", none}});
}

Response cancelJob(Visit& visit) {
  visit.order("job.cancel", {{"id", visit.param("job")}});
  return Response::redirect("/jobs?done=job-cancelled");
}

}  // namespace postern::webadmin::pages
