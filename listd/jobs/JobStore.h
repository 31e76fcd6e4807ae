#pragma once
#include "core/base/Clock.h"
#include "core/store/Database.h"

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
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

  bool ended() const { return state == "done" || state == "failed" || state == "cancelled"; }
};

// The rows of jobs. Threads: those of the connection. Errors: Error(Store), Error(DiskFull).
class JobStore {
public:
  explicit JobStore(store::Database& database) : database_(database) {}

  // A job of the kind with the same args that has not ended, or nothing.
  std::optional<std::uint64_t> findOpen(std::string_view kind, const nlohmann::json& args) const;
  std::uint64_t add(std::string_view kind, const nlohmann::json& args, std::string_view startedBy, TimePoint now);
  std::optional<Job> find(std::uint64_t id) const;
  std::vector<Job> newest(std::uint32_t limit) const;

  // The next one to do of a kind: what was running when the process ended, then what waits, oldest first.
  struct Next {
    Job job;
    nlohmann::json checkpoint;
    bool cancelling = false;
  };
  std::optional<Next> next(std::string_view kind) const;
  void setRunning(std::uint64_t id);
  void setProgress(std::uint64_t id, std::uint64_t done, std::uint64_t total, std::string_view message);
  void setCheckpoint(std::uint64_t id, const nlohmann::json& checkpoint);
  void end(const Job& job);  // state, progress, message, result, finishedAt
  // Waiting: cancelled at once; running: to be stopped. False when it has ended or does not exist.
  bool cancel(std::uint64_t id, TimePoint now);
  bool isCancelling(std::uint64_t id) const;

private:
  store::Database& database_;
};

}  // namespace postern::listd
