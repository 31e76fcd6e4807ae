#include "core/policy/WorkerProcess.h"

#include "core/base/Error.h"
#include "core/base/Log.h"
#include "core/policy/frame/PolicyFrame.h"
#include "core/policy/frame/QueryFrame.h"

#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <exception>
#include <utility>

namespace postern::policy {

namespace {

std::pair<FileDescriptor, FileDescriptor> makeSocketPair() {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) throwErrno("make", "a socket pair");
  return {FileDescriptor(ends[0]), FileDescriptor(ends[1])};
}

class SpawnSettings {
public:
  explicit SpawnSettings(int socket) {
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_adddup2(&actions, socket, STDIN_FILENO);
    ::posix_spawnattr_init(&attributes);
    sigset_t none;
    sigset_t all;
    ::sigemptyset(&none);
    ::sigfillset(&all);
    ::posix_spawnattr_setsigmask(&attributes, &none);
    ::posix_spawnattr_setsigdefault(&attributes, &all);
    // A process group of its own: Ctrl-C at a terminal is for the host, which then ends the worker.
    ::posix_spawnattr_setpgroup(&attributes, 0);
    ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
  }
  ~SpawnSettings() {
    ::posix_spawn_file_actions_destroy(&actions);
    ::posix_spawnattr_destroy(&attributes);
  }
  SpawnSettings(const SpawnSettings&) = delete;
  SpawnSettings& operator=(const SpawnSettings&) = delete;

  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
};

// posix_spawn rather than fork: it neither copies the page tables of a large gateway nor runs code between fork and
// exec in a process with many threads. All other descriptors of ours are close-on-exec; the worker closes the rest.
pid_t spawn(const std::filesystem::path& program, int socket) {
  const SpawnSettings settings(socket);
  auto path = program.string();
  char* const arguments[] = {path.data(), nullptr};
  char* const environment[] = {nullptr};
  pid_t process = -1;
  const int error =
      ::posix_spawn(&process, path.c_str(), &settings.actions, &settings.attributes, arguments, environment);
  if (error != 0)
    throw Error(ErrorKind::Config, "cannot start the policy worker " + path + ": " + std::strerror(error));
  return process;
}

auto deadlineIn(std::chrono::milliseconds timeout) {
  return std::chrono::steady_clock::now() + timeout;
}

}  // namespace

WorkerProcess::WorkerProcess(const std::filesystem::path& program) : channel_(FileDescriptor()) {
  auto [ours, theirs] = makeSocketPair();
  process_ = spawn(program, theirs.get());
  theirs.reset();
  channel_ = FrameChannel(std::move(ours));
  std::string hello;
  const auto status = channel_.receive(hello, FrameChannel::MaxReply, deadlineIn(StartTimeout));
  if (status != FrameChannel::Status::Ok || hello != frame::encodeReady(false)) {
    kill();
    throw Error(ErrorKind::Config, "the policy worker " + program.string() +
                                       " did not start: see its line on standard error; it needs seccomp filters");
  }
}

WorkerProcess::~WorkerProcess() {
  kill();
}

void WorkerProcess::kill() {
  if (process_ < 0) return;
  ::kill(process_, SIGKILL);
  while (::waitpid(process_, nullptr, 0) < 0 && errno == EINTR) continue;
  process_ = -1;
}

namespace {

std::optional<std::string> answerTo(std::string_view query, const WorkerProcess::Answerer& answerer) {
  if (!answerer) return std::nullopt;
  try {
    return answerer(query);
  } catch (const std::exception& error) {
    log::error("policy", "a question of a policy worker had no answer", {{"error", error.what()}});
    return std::nullopt;
  }
}

}  // namespace

Result<std::string, FailureKind> WorkerProcess::call(std::string_view request, std::chrono::milliseconds timeout,
                                                     const Answerer& answerer) {
  if (process_ < 0) return Unexpected(FailureKind::Worker);
  const auto deadline = deadlineIn(timeout);
  std::string reply;
  auto status = channel_.send(request, deadline);
  while (status == FrameChannel::Status::Ok) {
    status = channel_.receive(reply, FrameChannel::MaxReply, deadline);
    if (status != FrameChannel::Status::Ok || !frame::isQuery(reply)) break;
    const auto answer = answerTo(reply, answerer);
    status = answer ? channel_.send(*answer, deadline) : FrameChannel::Status::Closed;
  }
  if (status == FrameChannel::Status::Ok) return reply;
  kill();
  return Unexpected(status == FrameChannel::Status::Timeout ? FailureKind::Timeout : FailureKind::Worker);
}

CheckReport WorkerProcess::load(const SetTexts& texts, const CallLimits& limits, const SiteSets& sets) {
  const auto request =
      frame::encode(frame::LoadRequest{texts.files, texts.order, limits.instructions, limits.memory, sets});
  const auto reply = call(request, StartTimeout);
  if (!reply)
    throw Error(ErrorKind::Unavailable, reply.error() == FailureKind::Timeout
                                            ? "the policy set takes longer than 10 s to load: a file loops"
                                            : "the policy worker died while it loaded the policy set");
  return frame::decodeLoaded(*reply);
}

bool WorkerProcess::usable() const {
  return process_ >= 0 && !channel_.disturbed();
}

}  // namespace postern::policy
