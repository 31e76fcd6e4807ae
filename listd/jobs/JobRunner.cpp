#include "listd/jobs/JobRunner.h"

#include "core/app/Orders.h"
#include "core/base/Error.h"
#include "core/base/Log.h"
#include "core/base/Mutex.h"

#include <atomic>
#include <map>
#include <thread>

namespace postern::listd {

using nlohmann::json;

namespace {

constexpr std::chrono::seconds ProgressInterval{2};
constexpr std::chrono::seconds Pause{1};  // before what the store refused is tried again

}  // namespace

// A running job: what the work talks to, and what is shown of it.
class RunningJob : public JobContext {
public:
  RunningJob(SiteContext& context, JobStore::Next next, const std::stop_token& stop)
      : context_(context), job_(std::move(next.job)), checkpoint_(std::move(next.checkpoint)), stop_(stop) {
    shown_ = job_;
    if (next.cancelling) cancel();
  }

  const Job& job() const override { return job_; }

  void progress(std::uint64_t done, std::uint64_t total, std::string_view message) override {
    const MutexLock lock(mutex_);
    shown_.done = done;
    shown_.total = total;
    if (!message.empty()) shown_.message = message;
    const auto now = std::chrono::steady_clock::now();
    if (now - stored_ < ProgressInterval) return;
    stored_ = now;
    context_.site.writeLater([id = job_.id, done, total, text = shown_.message](
                                 SiteTables& tables) { tables.jobs.setProgress(id, done, total, text); },
                             [](const std::exception_ptr&) {});  // only shown: the next one counts
  }

  json checkpoint() const override { return checkpoint_; }
  void saveCheckpoint(const json& checkpoint) override {
    context_.site.write([&](SiteTables& tables) { tables.jobs.setCheckpoint(job_.id, checkpoint); });
    checkpoint_ = checkpoint;
  }
  bool stopRequested() const override { return cancelled_ || stop_.stop_requested(); }

  void cancel() { cancelled_ = true; }
  bool cancelled() const { return cancelled_; }
  Job shown() const {
    const MutexLock lock(mutex_);
    return shown_;
  }

private:
  SiteContext& context_;
  const Job job_;
  json checkpoint_;
  const std::stop_token stop_;
  std::atomic<bool> cancelled_ = false;
  mutable Mutex mutex_;
  Job shown_ GUARDED_BY(mutex_);
  std::chrono::steady_clock::time_point stored_ GUARDED_BY(mutex_) = std::chrono::steady_clock::now();
};

struct JobRunner::Impl {
  explicit Impl(SiteContext& site) : context(site) {}

  // Stopping is asked of all first, so that they end side by side.
  ~Impl() {
    for (auto& thread : threads) thread.request_stop();
    wake();
    threads.clear();
  }

  void wake() EXCLUDES_LOCK(mutex) {
    const MutexLock lock(mutex);
    ++wakes;
    condition.notify_all();
  }

  void loop(const std::stop_token& stop, const std::string& kind, const Work& work) {
    while (!stop.stop_requested()) {
      std::uint64_t seen = 0;
      {
        const MutexLock lock(mutex);
        seen = wakes;
      }
      bool more = false;
      auto wait = std::chrono::seconds(60);
      try {  // the boundary of a job: what the store refuses is tried again
        more = runNext(stop, kind, work);
      } catch (const std::exception& error) {
        log::error("jobs", "the store cannot be written", {{"kind", kind}, {"error", error.what()}});
        wait = Pause;
      }
      if (more) continue;
      std::unique_lock<Mutex> lock(mutex);
      condition.wait_for(lock, stop, wait, [&]() POSTERN_THREAD(no_thread_safety_analysis) { return wakes != seen; });
    }
  }

  bool runNext(const std::stop_token& stop, const std::string& kind, const Work& work) EXCLUDES_LOCK(mutex) {
    auto next = context.site.read([&](SiteTables& tables) { return tables.jobs.next(kind); });
    if (!next) return false;
    const auto id = next->job.id;
    if (next->job.state == "waiting") {
      const bool mine = context.site.write([&](SiteTables& tables) {
        const auto now = tables.jobs.find(id);
        if (!now || now->state != "waiting") return false;  // cancelled meanwhile
        tables.jobs.setRunning(id);
        return true;
      });
      if (!mine) return true;
    }
    next->job.state = "running";
    const auto running = std::make_shared<RunningJob>(context, std::move(*next), stop);
    {
      const MutexLock lock(mutex);
      active[id] = running;
    }
    // A cancel that came before the line above did not find the job.
    if (context.site.read([&](SiteTables& tables) { return tables.jobs.isCancelling(id); })) running->cancel();
    const auto ended = perform(*running, work);
    // What was under way when the process is stopped goes on at the next start.
    if (running->cancelled() || !stop.stop_requested()) finish(stop, ended);
    const MutexLock lock(mutex);
    active.erase(id);
    return true;
  }

  Job perform(RunningJob& running, const Work& work) const {
    Job ended = running.job();
    ended.state = "done";
    std::string trouble;
    try {  // the boundary of a job
      ended.result = work(running);
    } catch (const app::OrderRefused& refused) {
      trouble = refused.error().message + (refused.error().hint.empty() ? "" : "; " + refused.error().hint);
    } catch (const Error& error) {
      trouble = error.message();
    } catch (const std::exception& error) {
      trouble = error.what();
    }
    const auto shown = running.shown();
    ended.done = shown.done;
    ended.total = shown.total;
    ended.message = shown.message;
    ended.finishedAt = context.clock.now();
    if (!trouble.empty()) {
      log::error("jobs", "a job failed", {{"job", ended.id}, {"kind", ended.kind}, {"error", trouble}});
      ended.state = "failed";
      ended.message = trouble;
    } else if (running.cancelled()) {
      ended.state = "cancelled";
    }
    return ended;
  }

  // Tried until it stands or the process stops; then the job is done again from its checkpoint.
  void finish(const std::stop_token& stop, const Job& job) {
    while (true) {
      try {
        context.site.write([&](SiteTables& tables) { tables.jobs.end(job); });
        return;
      } catch (const std::exception& error) {
        log::error("jobs", "the end of a job cannot be written", {{"job", job.id}, {"error", error.what()}});
        if (stop.stop_requested()) return;
        std::this_thread::sleep_for(Pause);
      }
    }
  }

  // With what the work told last, which is newer than the row.
  Job asShown(Job job) const EXCLUDES_LOCK(mutex) {
    const MutexLock lock(mutex);
    const auto found = active.find(job.id);
    if (found == active.end() || job.ended()) return job;
    const auto shown = found->second->shown();
    job.done = shown.done;
    job.total = shown.total;
    job.message = shown.message;
    return job;
  }

  SiteContext& context;
  std::map<std::string, Work, std::less<>> works;  // constant after run()
  mutable Mutex mutex;
  Condition condition;
  std::uint64_t wakes GUARDED_BY(mutex) = 0;
  std::map<std::uint64_t, std::shared_ptr<RunningJob>> active GUARDED_BY(mutex);
  std::vector<std::jthread> threads;  // last: they use all of the above
};

JobRunner::JobRunner(SiteContext& context) : impl_(std::make_unique<Impl>(context)) {}
JobRunner::~JobRunner() = default;

void JobRunner::add(std::string kind, Work work) {
  if (!impl_->threads.empty()) throw Error(ErrorKind::Invariant, "kinds of jobs are added before they run");
  impl_->works.emplace(std::move(kind), std::move(work));
}

void JobRunner::run() {
  for (const auto& [kind, work] : impl_->works)
    impl_->threads.emplace_back(
        [this, &kind = kind, &work = work](const std::stop_token& stop) { impl_->loop(stop, kind, work); });
}

std::uint64_t JobRunner::start(SiteTables& tables, std::string_view kind, const json& args,
                               std::string_view startedBy) {
  if (!impl_->works.contains(kind)) throw Error(ErrorKind::Invariant, "no such kind of job: " + std::string(kind));
  if (const auto open = tables.jobs.findOpen(kind, args)) return *open;
  return tables.jobs.add(kind, args, startedBy, impl_->context.clock.now());
}

void JobRunner::wake() {
  impl_->wake();
}

bool JobRunner::cancel(std::uint64_t id) {
  const auto now = impl_->context.clock.now();
  if (!impl_->context.site.write([&](SiteTables& tables) { return tables.jobs.cancel(id, now); })) return false;
  const MutexLock lock(impl_->mutex);
  const auto found = impl_->active.find(id);
  if (found != impl_->active.end()) found->second->cancel();
  return true;
}

std::optional<Job> JobRunner::find(std::uint64_t id) const {
  auto job = impl_->context.site.read([&](SiteTables& tables) { return tables.jobs.find(id); });
  if (!job) return std::nullopt;
  return impl_->asShown(std::move(*job));
}

std::vector<Job> JobRunner::newest(std::uint32_t limit) const {
  auto jobs = impl_->context.site.read([&](SiteTables& tables) { return tables.jobs.newest(limit); });
  for (auto& job : jobs) job = impl_->asShown(std::move(job));
  return jobs;
}

}  // namespace postern::listd
