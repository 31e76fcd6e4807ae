#pragma once
#include "core/base/Result.h"
#include "core/policy/frame/FrameChannel.h"
#include "core/policy/PolicySet.h"
#include "core/policy/Verdict.h"

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace postern::policy {

// One running postern-policy process and the socket to it. Killed and collected with the object.
// Threads: one at a time.
class WorkerProcess {
public:
  // Starting a process and loading a set have their own limit: they do not depend on mail.
  static constexpr std::chrono::seconds StartTimeout{10};

  // Throws Error(Config) if the program cannot be started or does not put up its walls.
  explicit WorkerProcess(const std::filesystem::path& program);
  ~WorkerProcess();
  WorkerProcess(const WorkerProcess&) = delete;
  WorkerProcess& operator=(const WorkerProcess&) = delete;

  // Answers what the worker asks in the middle of a call (frame/QueryFrame.h). Nothing, or an exception, ends the call
  // and the worker.
  using Answerer = std::function<std::optional<std::string>(std::string_view query)>;

  // Sends a request and waits for the reply. On Timeout and Worker the process is dead afterwards.
  Result<std::string, FailureKind> call(std::string_view request, std::chrono::milliseconds timeout,
                                        const Answerer& answerer = {});

  // Gives it a set; the report says whether the set is good. Throws Error(Unavailable) if the worker did not answer.
  CheckReport load(const SetTexts& texts, const CallLimits& limits, const SiteSets& sets = {});

  // It can take a call: alive, and has not said anything unasked.
  bool usable() const;
  void kill();
  pid_t process() const { return process_; }

private:
  pid_t process_ = -1;
  FrameChannel channel_;
};

}  // namespace postern::policy
