#pragma once
#include "core/base/Mutex.h"
#include "listd/jobs/JobRunner.h"
#include "listd/search/SearchIndex.h"
#include "listd/site/SiteContext.h"

#include <stop_token>
#include <thread>

namespace postern::listd {

constexpr const char* RebuildJob = "index.rebuild";

// Brings stored objects into the search index: all that are missing at the start, each hour and when woken.
// Invariant: what was destroyed while it was being read is taken out again before the worker goes on.
// Ownership: context and index must outlive it. Threads: its own; wake() and pending() are safe for all.
// What cannot be read stays out, so it is not evaluable, and is tried again in an hour.
class IndexWorker {
public:
  IndexWorker(SiteContext& context, SearchIndex& index);
  ~IndexWorker();

  void wake();                                     // something was stored
  void runOnce(const std::stop_token& stop = {});  // compares the whole archive with the index
  void takeNew(const std::stop_token& stop = {});  // only what came since the last pass
  std::uint64_t pending() const;                   // stored objects that the index has not looked at

private:
  void run(const std::stop_token& stop);
  void awaitNews(const std::stop_token& stop) POSTERN_THREAD(no_thread_safety_analysis);

  SiteContext& context_;
  SearchIndex& index_;
  Mutex mutex_;
  Condition changed_;
  bool woken_ GUARDED_BY(mutex_) = false;
  Mutex pass_;  // one pass at a time
  std::uint64_t mark_ GUARDED_BY(pass_) = 0;
  std::jthread thread_;  // last: it uses all of the above
};

// The job that makes the index anew beside the old one. Its checkpoint is the new file itself.
JobRunner::Work rebuildWork(SiteContext& context, SearchIndex& index);

}  // namespace postern::listd
