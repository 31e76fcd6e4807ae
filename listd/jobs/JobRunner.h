#pragma once
#include "core/base/Clock.h"
#include "listd/site/SiteContext.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace postern::listd {

// Long work behind an order, as people see it: its progress, its end, its result.
struct Job {
  std::uint64_t id = 0;
  std::string kind;        // "keys.rotate" "export" "retention.run" "index.rebuild" …
  nlohmann::json args;     // what it was started with; no secrets
  std::string state;       // "waiting" "running" "done" "failed" "cancelled"
  std::uint64_t done = 0;  // of total; total 0: not known yet
  std::uint64_t total = 0;
  std::string message;  // what it does now, or why it failed and what to do
  std::string startedBy;
  TimePoint createdAt;
  TimePoint finishedAt;
  nlohmann::json result;
};

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
  // The job ends as cancelled, or goes on at the next start when the process stops, once this is true.
  virtual bool stopRequested() const = 0;
};

// Runs jobs one after another for each kind, on threads of its own. A job that was running when the process died is
// started again with its checkpoint. Threads: safe for all.
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

  // In the caller's transaction; it runs once that is durable. Refuses (nothing) when a job of the kind and subject
  // waits or runs already: returns that one's id instead.
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
