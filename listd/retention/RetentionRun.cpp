#include "listd/retention/RetentionRun.h"

#include "core/base/Error.h"
#include "core/base/Log.h"
#include "listd/matters/Scopes.h"
#include "listd/retention/CertificateWriter.h"
#include "listd/retention/ClockGuard.h"
#include "listd/retention/Recording.h"

#include <malloc.h>

#include <algorithm>

namespace postern::listd {
namespace {

constexpr std::uint64_t LeastLimit = 1000;
constexpr std::size_t Step = 8000;  // between two looks at progress

void recordRun(SiteTables& tables, const Run& run, TimePoint now) {
  audit::Event event;
  event.actorKind = "system";
  event.action = "retention.run-" + run.state;
  event.objectType = "run";
  event.objectId = std::to_string(run.id);
  event.outcome = run.state == "done" ? audit::Outcome::Ok : audit::Outcome::BlockedByRetention;
  event.reasonText = run.words;
  event.number("candidates", run.candidates).number("removed", run.removed).number("destroyed", run.destroyed);
  for (const auto& [reason, count] : publicKept(run)) event.number("kept " + reason, count);
  recordEvent(tables, event, now);
}

}  // namespace

std::map<std::string, std::uint64_t> publicKept(const Run& run) {
  std::map<std::string, std::uint64_t> kept;
  for (const auto& [reason, count] : run.kept) kept[DestructionGate::publicReason(reason)] += count;
  return kept;
}

std::uint64_t blastLimit(std::uint64_t archive, std::uint64_t destroyedIn30Days) {
  return std::min(std::max(LeastLimit, 3 * destroyedIn30Days / 30), archive / 20);
}

bool RetentionRun::mayGo(Run& run, const Scan& scan) {
  const auto now = context_.clock.now();
  const auto limit = context_.site.read([&](SiteTables& tables) {
    return blastLimit(scan.objects, tables.retention.destroyedSince(now - std::chrono::days(30)));
  });
  // A run that goes on after a crash has destroyed some of what it was allowed.
  const auto wanted = scan.due.size();
  if (wanted <= limit || run.approved >= wanted + run.destroyed) return true;
  run.words = "it would destroy " + std::to_string(wanted) + " messages, more than " + std::to_string(limit) +
              " without a second person's approval";
  return false;
}

Run RetentionRun::end(Run run, std::string state, std::string words) {
  run.state = std::move(state);
  run.words = std::move(words);
  finishRun(context_, run, gate_.cleanUp());
  return context_.site.write([&](SiteTables& tables) {
    auto stored = tables.retention.run(run.id).value();
    recordRun(tables, stored, context_.clock.now());
    return stored;
  });
}

Run RetentionRun::go(std::uint64_t runId, const Progress& progress) {
  auto run = context_.site.read([&](SiteTables& tables) { return tables.retention.run(runId); }).value();
  const auto trouble = context_.site.read(
      [&](SiteTables& tables) { return destructionTrouble(context_, tables, context_.clock.now()); });
  if (trouble) return end(run, "refused", trouble->words);

  gate_.finishBegun();
  run.destroyed = context_.site.read([&](SiteTables& tables) { return tables.retention.lineCount(runId); });
  auto scan = scanArchive(context_, answers_, std::min(run.at, context_.clock.now()));
  if (!mayGo(run, scan)) {
    run.candidates = scan.due.size();
    return end(run, "stopped", run.words);
  }
  for (const auto& [reason, count] : scan.kept) run.kept[reason] = count;
  // In the order in which mail came: its rows, contents and words lie together in the files, and go together.
  std::stable_sort(scan.due.begin(), scan.due.end(),
                   [](const auto& a, const auto& b) { return a.receivedAt < b.receivedAt; });
  std::map<DestructionCaller, std::vector<DestructionGate::Target>> targets;
  for (const auto& one : scan.due)
    targets[one.byPerson ? DestructionCaller::PersonDelete : DestructionCaller::RetentionRun].push_back(
        {one.objectId, one.listId});
  for (const auto& one : scan.reviews) targets[DestructionCaller::RetentionRun].push_back({one.objectId, one.listId});

  std::uint64_t kept = 0;
  for (const auto& [reason, count] : scan.kept) kept += count;
  const auto total = scan.due.size() + scan.reviews.size();
  run.candidates = total + kept;
  std::uint64_t done = 0;
  for (const auto& [caller, all] : targets) {
    for (std::size_t from = 0; from < all.size(); from += Step) {
      if (!progress(done, total)) return run;
      const auto size = std::min(Step, all.size() - from);
      const auto at = all.begin() + static_cast<std::ptrdiff_t>(from);
      for (const auto& verdict : gate_.dispose(caller, run.id, {at, at + static_cast<std::ptrdiff_t>(size)})) {
        if (verdict.removed) ++run.removed;
        if (!verdict.kept.empty()) ++run.kept[verdict.kept];
      }
      done += size;
    }
  }
  progress(done, total);
  context_.site.write([&](SiteTables& tables) { clearFormerMembers(tables, context_.clock.now()); });
  gate_.disposeLists(run.id);
  auto ended = end(run, "done", "");
  context_.site.checkpoint(std::chrono::milliseconds(0));  // the end of the run made pages of its own
  scan = {};
  targets.clear();
  malloc_trim(0);  // tens of megabytes for each million messages that were looked at: the C library would keep them
  return ended;
}

}  // namespace postern::listd
