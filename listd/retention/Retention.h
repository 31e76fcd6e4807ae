#pragma once
#include "listd/jobs/JobRunner.h"
#include "listd/retention/DestructionGate.h"
#include "listd/retention/RetentionRun.h"

#include <atomic>
#include <stop_token>
#include <thread>

namespace postern::listd {

// Retention of a running site: the gate and what answers about content. At construction it settles what a crash left
// and brings back from the journal the locked floors that a restored database does not know.
// Threads: safe for all. Errors: Error(Store), Error(Io).
class Retention {
public:
  Retention(SiteContext& context, ContentAnswers* answers);

  DestructionGate& gate() { return gate_; }
  ContentAnswers* answers() const { return answers_; }

  // How "retention.run" jobs are done. Before JobRunner::run().
  void addTo(JobRunner& jobs);

private:
  void restoreFloors();
  void markTombstones();

  SiteContext& context_;
  ContentAnswers* answers_;
  DestructionGate gate_;
};

// Begins a run in the caller's transaction; jobs.wake() after it. Gives the job.
std::uint64_t startRun(SiteTables& tables, JobRunner& jobs, TimePoint at, TimePoint now, const std::string& by,
                       std::uint64_t approved);

// A rule comes into the books: its version, and a locked floor also into the journal, which no restore puts back.
RuleVersion enact(SiteContext& context, SiteTables& tables, RuleVersion version);

// The heartbeat of the clock each minute, and the run each day.
class RetentionSchedule {
public:
  RetentionSchedule(SiteContext& context, JobRunner& jobs);

  void minute();
  static TimePoint nextRun(SiteTables& tables, TimePoint now);

private:
  void run(const std::stop_token& stop);

  SiteContext& context_;
  JobRunner& jobs_;
  std::jthread thread_;  // last: it uses all of the above
};

}  // namespace postern::listd
