#pragma once
#include "listd/jobs/JobStore.h"
#include "listd/site/SiteContext.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace postern::listd {

// What a running job talks to. Threads: the job's own.
class JobContext {
public:
  virtual ~JobContext() = default;
  virtual const Job& job() const = 0;
  virtual void progress(std::uint64_t done, std::uint64_t total,
                        std::string_view message = {}) = 0;  // cheap; may be lost
  // Durable notes of how far the job is, for going on after a crash; null at the first start.
  virtual nlohmann::json checkpoint() const = 0;
  virtual void saveCheckpoint(const nlohmann::json& checkpoint) = 0;
  // Once this is true the work saves a checkpoint and returns: the job ends as cancelled, or goes on at the next start
  // when it is the process that stops. What it returns then is not used.
  virtual bool stopRequested() const = 0;
};

// Runs jobs one after another for each kind, on threads of its own. A job that was running when the process died is
// started again with its checkpoint, so work must be able to do its last step twice. Destruction asks running jobs to
// stop and waits for them. Threads: safe for all, but see start(). Errors: Error(Store), Error(DiskFull).
class JobRunner {
public:
  using Work = std::function<nlohmann::json(JobContext&)>;  // its result; throws: failed, with the text of the Error

  explicit JobRunner(SiteContext& context);
  ~JobRunner();
  JobRunner(const JobRunner&) = delete;
  JobRunner& operator=(const JobRunner&) = delete;

  // How jobs of a kind are done. All kinds are added before run().
  void add(std::string kind, Work work);
  void run();  // starts what was left and what comes

  // In the caller's transaction; it runs once that is durable and wake() was called. When a job of the kind with the
  // same args waits or runs already, that one's id is returned and nothing is started. Error(Invariant) for a kind that
  // nobody added.
  std::uint64_t start(SiteTables& tables, std::string_view kind, const nlohmann::json& args,
                      std::string_view startedBy);
  void wake();  // after the transaction of start()
  bool cancel(std::uint64_t id);
  std::optional<Job> find(std::uint64_t id) const;  // progress as of now
  std::vector<Job> newest(std::uint32_t limit) const;

private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace postern::listd
