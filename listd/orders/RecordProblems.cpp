#include "listd/orders/RecordProblems.h"

#include "listd/people/LegalSite.h"
#include "listd/retention/ClockGuard.h"
#include "listd/retention/Retention.h"
#include "listd/search/SearchIndex.h"

#include <cstdlib>
#include <set>

namespace postern::listd {

using nlohmann::json;

namespace {

constexpr std::chrono::hours AnchorsGoStale{24};
constexpr std::chrono::days RequestsGoOld{7};
constexpr std::chrono::days JobsMatter{7};
constexpr std::uint32_t JobsLookedAt = 200;
constexpr std::uint64_t MuchToIndex = 1000;
constexpr std::chrono::hours BackupsGoStale{26};
constexpr std::chrono::days DrillsGoStale{40};

void add(json& problems, std::string what, std::string todo) {
  problems.push_back({{"what", std::move(what)}, {"do", std::move(todo)}});
}

std::string counted(std::uint64_t number, const std::string& one, const std::string& many) {
  return std::to_string(number) + " " + (number == 1 ? one : many);
}

void addRegister(json& problems, const vault::Journal& journal) {
  if (const auto trouble = journal.trouble())
    add(problems, "Nothing is destroyed, since it is not known what must be kept: " + *trouble + ".",
        "Stop Postern, put an undamaged copy of journal/register.log back (a backup of the disk has one), and start "
        "it. "
        "Keep the damaged file. Mail goes on meanwhile, and holds that are placed are in force.");
}

// A site on a moved clock destroys mail early or late, and lets in what has ended.
void addClockOffset(json& problems, const config::SiteConfig& config) {
  if (const auto offset = config.clockOffset.count(); offset != 0)
    add(problems,
        "This site runs " + counted(static_cast<std::uint64_t>(std::abs(offset)), "second", "seconds") +
            (offset > 0 ? " ahead of" : " behind") + " the clock of its machine, as only tests should.",
        "Remove clock_offset from [testing] in postern.toml and start Postern again");
}

// A site that looks for mail servers elsewhere than the world does may hand mail to somebody on its own machine.
void addTestPorts(json& problems, const config::SiteConfig& config) {
  const config::SiteConfig usual;
  if (config.mxPort != usual.mxPort || config.httpsPort != usual.httpsPort)
    add(problems,
        "This site looks for mail servers and policies at other ports than the world has, as only tests should.",
        "Remove mx_port and https_port from [testing] in postern.toml and start Postern again");
}

void addClock(json& problems, SiteTables& tables, TimePoint now) {
  if (const auto trouble = clockTrouble(tables, now))
    add(problems, "The clock is not trusted, so nothing is destroyed: " + *trouble,
        "Put the clock right; then a compliance officer and an approver say so: postern retention trust-clock");
}

// The file anchor counts only once something was carried away, for small sites may use mail alone.
void addAnchors(json& problems, const config::SiteConfig& config, SiteTables& tables, TimePoint now) {
  TimePoint newest;
  for (const auto* kind : {"file", "mail", "syslog", "timestamp"})
    if (const auto anchor = tables.audit.newestAnchor(kind)) newest = std::max(newest, anchor->at);
  if (now - newest <= AnchorsGoStale) return;
  const bool never = newest == TimePoint();
  const auto checkpoint = tables.audit.file().newestCheckpoint();
  if (never && (!checkpoint || config.auditMail.empty())) {
    add(problems, "The audit log was never anchored outside of this machine.",
        "Set [audit] mail or syslog, or run each day: postern audit anchor");
    return;
  }
  add(problems,
      never ? "No anchor of the audit log has left this machine yet."
            : "The audit log was last anchored on " + formatRfc3339(newest) + ", more than 24 hours ago.",
      "See: postern audit status; look whether mail to the auditor goes out");
}

void addBackups(json& problems, const config::SiteConfig& config, SiteTables& tables, TimePoint now) {
  if (config.backupRepository.empty()) return;
  const auto made = tables.backups.newest("made"), failed = tables.backups.newest("failed");
  if (failed && (!made || failed->at > made->at))
    add(problems, "The last backup failed: " + failed->message, "Mend the cause, then: postern backup create");
  else if (!made || now - made->at > BackupsGoStale)
    add(problems,
        made ? "The last backup is of " + formatRfc3339(made->at) + "." : std::string("No backup was made yet."),
        "See whether the timer runs; make one now: postern backup create");
  if (!made) return;
  const auto proven = tables.backups.newest("proven"), refuted = tables.backups.newest("refuted");
  if (refuted && (!proven || refuted->at > proven->at))
    add(problems, "The last backup could not be restored: " + refuted->message,
        "Make a new backup and try again: postern backup create, then postern backup drill");
  else if (now - (proven ? proven->at : made->at) > DrillsGoStale)
    add(problems, "No backup was proven by a restore for more than 40 days.", "Prove one: postern backup drill");
}

void addRequests(json& problems, SiteTables& tables, TimePoint now) {
  std::uint64_t old = 0;
  for (const auto& request : tables.requests.waiting())
    if (!request.lone && now - request.createdAt >= RequestsGoOld) ++old;
  if (old > 0)
    add(problems, counted(old, "request waits", "requests wait") + " for an approver for more than seven days.",
        "Ask an approver to decide; see: postern request list");
}

void addOnePerson(json& problems, SiteTables& tables) {
  bool asked = false;
  const auto held = heldUntilRequest(tables);
  for (const auto& request : tables.requests.waiting())
    if (request.kind == "account.one-person") {
      asked = asked || request.id == held;
      add(problems,
          "Request " + std::to_string(request.id) + " lets one person alone decide on this site from " +
              formatRfc3339(request.decideAt) + " on.",
          "If that should not be, let an approver refuse it or the outside address stop it before then: postern "
          "request show " +
              std::to_string(request.id));
    }
  if (held && !asked && staffCount(tables) <= 1)
    add(problems, "One person is left to run this site, and nobody can approve what that person asks for.",
        "Let a second person join; or set [records] outside_address in postern.toml to somebody outside and disable "
        "the "
        "account that was shut out once more: seven days later one person may run the site");
}

// The newest job of each kind tells how it stands; what failed and was then done again is no trouble any more.
void addJobs(json& problems, OrderTools& tools, TimePoint now) {
  if (tools.jobs == nullptr) return;
  std::set<std::string> seen;
  for (const auto& job : tools.jobs->newest(JobsLookedAt)) {
    if (!job.ended() || !seen.insert(job.kind).second) continue;
    if (job.state == "failed" && now - job.finishedAt < JobsMatter)
      add(problems, "The job " + job.kind + " " + std::to_string(job.id) + " failed.",
          "See: postern job show " + std::to_string(job.id) + "; mend the cause and start it again");
  }
}

void addRuns(json& problems, SiteTables& tables) {
  for (const auto& run : tables.retention.runs(1)) {
    if (run.state == "stopped")
      add(problems, "The last retention run stopped: " + run.words + ".",
          "An approver decides the request for it; see: postern request list");
    else if (run.state == "refused")
      add(problems, "The last retention run was refused: " + run.words + ".", "See: postern retention runs");
  }
}

void addRemnants(json& problems, const OrderTools& tools) {
  if (tools.retention == nullptr) return;
  const auto remnants = tools.retention->gate().remnants();
  if (remnants.any())
    add(problems, "Remnants of destroyed mail are still in " + remnants.text() + ".",
        "Another program reads these files: close it, and keep copies made since out of use. Postern tries again each "
        "minute; see: postern retention status");
}

void addIndex(json& problems, OrderTools& tools, SiteTables& tables) {
  if (tools.search == nullptr) return;
  const auto counts = tools.search->counts();
  const auto stored = tables.archive.count();
  const auto known = counts.indexed + counts.unreadable;
  if (stored > known + MuchToIndex)
    add(problems, counted(stored - known, "message is", "messages are") + " not searchable yet.",
        "Wait until the index has caught up; see: postern index status. If it does not: postern index rebuild");
}

void addBreakGlass(json& problems, SiteTables& tables, TimePoint now) {
  for (const auto& one : tables.tokens.allBreakGlass()) {
    if (one.openedAt == TimePoint() || one.reviewedAt != TimePoint()) continue;
    if (now < one.openedUntil)
      add(problems, "The emergency account " + one.account + " is open until " + formatRfc3339(one.openedUntil) + ".",
          "Make sure that you know why. It ends by itself; an auditor reviews it afterwards.");
    else
      add(problems, "The emergency account " + one.account + " was used and nobody has reviewed it.",
          "An auditor looks at what was done and signs: postern break-glass review");
  }
}

}  // namespace

void addRecordProblems(json& problems, OrderTools& tools, SiteTables& tables, TimePoint now) {
  const auto named = [&problems](const char* rule, const char* severity) {
    for (auto& problem : problems)
      if (!problem.contains("rule")) problem.update({{"rule", rule}, {"severity", severity}});
  };
  addRegister(problems, tools.context.journal);
  named("records.register", "error");
  addClockOffset(problems, tools.context.config);
  named("clock.offset", "warning");
  addTestPorts(problems, tools.context.config);
  named("testing.ports", "warning");
  addClock(problems, tables, now);
  named("clock.jump", "error");
  addRuns(problems, tables);
  named("retention.stopped", "warning");
  addRemnants(problems, tools);
  named("retention.remnants", "warning");
  addBreakGlass(problems, tables, now);
  named("break-glass", "error");
  addRequests(problems, tables, now);
  named("requests.old", "warning");
  addOnePerson(problems, tables);
  named("one-person", "warning");
  addAnchors(problems, tools.context.config, tables, now);
  named("audit.anchor", "warning");
  addBackups(problems, tools.context.config, tables, now);
  named("backup", "warning");
  addJobs(problems, tools, now);
  named("jobs.failed", "warning");
  addIndex(problems, tools, tables);
  named("index.behind", "warning");
}

}  // namespace postern::listd
