#include "cli/Supervisor.h"

#include "core/base/Error.h"
#include "core/base/Files.h"
#include "core/base/Log.h"
#include "core/config/SiteConfig.h"
#include "core/vault/RootKeySource.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>

namespace postern::cli {

namespace {

using Steady = std::chrono::steady_clock;
using namespace std::chrono_literals;

// In the order of starting; stopped the other way round, so that what was accepted is still handed on.
constexpr const char* Programs[] = {"postern-listd", "postern-gateway", "postern-webadmin"};

// The first one waits until listd is up.
constexpr auto FirstAnchor = 1min;
constexpr auto BetweenAnchors = 15min;

struct Child {
  std::string program;
  pid_t process = -1;
  Steady::time_point startedAt;
  Steady::time_point restartAt;
  std::chrono::milliseconds pause{0};
};

std::filesystem::path folderOfThisProgram() {
  return std::filesystem::read_symlink("/proc/self/exe").parent_path();
}

// Only one supervisor for a site: the lock lives as long as the descriptor.
FileDescriptor lockSite(const std::filesystem::path& dataFolder) {
  const auto path = dataFolder / "run/supervisor.lock";
  files::makePrivateFolder(path.parent_path());
  FileDescriptor file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!file) throwErrno("open", path);
  struct flock lock {};
  lock.l_type = F_WRLCK;
  if (::fcntl(file.get(), F_SETLK, &lock) != 0)
    throw Error(ErrorKind::Config, "the site in " + dataFolder.string() + " is running already");
  return file;
}

void openLog(const config::SiteConfig& site);

class Supervisor {
public:
  // `passphrase`: of the root key, for listd each time it is started; empty: it needs none.
  Supervisor(std::filesystem::path dataFolder, const sigset_t& signals, Secret passphrase)
      : dataFolder_(std::move(dataFolder)), signals_(signals), passphrase_(std::move(passphrase)) {
    for (const auto* program : Programs) children_.push_back({program, -1, {}, Steady::now(), 0ms});
  }

  void run() {
    while (!stopping_) {
      startDue();
      waitForSignal();
      reap();
      anchorIfDue();
    }
    stopAll();
  }

private:
  void startDue() {
    for (auto& child : children_)
      if (child.process < 0 && child.restartAt <= Steady::now()) start(child);
  }

  void start(Child& child) {
    const auto program = folderOfThisProgram() / child.program;
    const auto parent = ::getpid();
    const auto secret = child.program == "postern-listd" ? passphrasePipe() : FileDescriptor();
    const auto process = ::fork();
    if (process < 0) throwErrno("start", program);
    if (process == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGTERM);
      if (::getppid() != parent) ::_exit(1);
      ::sigprocmask(SIG_UNBLOCK, &signals_, nullptr);
      if (secret) {
        ::fcntl(secret.get(), F_SETFD, 0);
        ::setenv("POSTERN_PASSPHRASE_FD", std::to_string(secret.get()).c_str(), 1);
      }
      ::setpgid(0, 0);  // Ctrl-C reaches the supervisor alone, which stops the others in order
      ::execl(program.c_str(), child.program.c_str(), "--data", dataFolder_.c_str(), nullptr);
      ::_exit(127);
    }
    child.process = process;
    child.startedAt = Steady::now();
    log::info("supervisor", "started", {{"program", child.program}, {"pid", process}});
  }

  // Ready to be read; a passphrase is shorter than what a pipe takes at once.
  FileDescriptor passphrasePipe() const {
    if (passphrase_.empty()) return {};
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) throwErrno("make", "a pipe");
    FileDescriptor reading(ends[0]);
    const FileDescriptor writing(ends[1]);
    files::writeAll(writing.get(), passphrase_.view(), "a pipe");
    return reading;
  }

  // A process of its own: a slow time-stamp authority must not keep a child from being started again.
  void anchorIfDue() {
    if (stopping_ || anchoring_ >= 0 || Steady::now() < anchorAt_) return;
    anchorAt_ = Steady::now() + BetweenAnchors;
    const auto parent = ::getpid();
    anchoring_ = ::fork();
    if (anchoring_ != 0) return;  // also when it failed: the next round tries again
    ::prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (::getppid() != parent) ::_exit(1);
    ::sigprocmask(SIG_UNBLOCK, &signals_, nullptr);
    ::setpgid(0, 0);
    const FileDescriptor nowhere(::open("/dev/null", O_WRONLY | O_CLOEXEC));
    ::dup2(nowhere.get(), STDOUT_FILENO);
    const auto program = folderOfThisProgram() / "postern";
    ::execl(program.c_str(), "postern", "--data", dataFolder_.c_str(), "audit", "anchor", nullptr);
    ::_exit(127);
  }

  void anchorEnded(int status) {
    anchoring_ = -1;
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
      log::warning("supervisor",
                   "the audit log's checkpoint could not be carried everywhere; see: postern audit anchor");
  }

  void waitForSignal() {
    timespec patience{0, 200'000'000};
    for (const auto& child : children_)
      if (child.process >= 0) patience = {2, 0};
    for (const auto& child : children_)
      if (child.process < 0) patience = {0, 50'000'000};
    const int signal = ::sigtimedwait(&signals_, nullptr, &patience);
    if (signal == SIGTERM || signal == SIGINT) stopping_ = true;
    if (signal == SIGHUP) reload();
  }

  // Each process reads the settings itself, and refuses them as a whole when they are wrong.
  void reload() {
    try {
      openLog(config::loadSiteConfig(dataFolder_));
    } catch (const Error& error) {
      log::error("supervisor", "the settings were not read again", {{"reason", error.message()}});
    }
    for (const auto& child : children_)
      if (child.process > 0) ::kill(child.process, SIGHUP);
  }

  void reap() {
    int status = 0;
    pid_t process;
    while ((process = ::waitpid(-1, &status, WNOHANG)) > 0) {
      if (process == anchoring_) anchorEnded(status);
      for (auto& child : children_)
        if (child.process == process) ended(child, status);
    }
  }

  void ended(Child& child, int status) {
    const bool lastedLong = Steady::now() - child.startedAt > 2s;
    child.pause = lastedLong ? 0ms : std::min<std::chrono::milliseconds>(child.pause * 2 + 100ms, 1s);
    child.process = -1;
    child.restartAt = Steady::now() + child.pause;
    log::error("supervisor", "a process ended and is started again",
               {{"program", child.program},
                {"how", WIFSIGNALED(status) ? "signal " + std::to_string(WTERMSIG(status))
                                            : "exit code " + std::to_string(WEXITSTATUS(status))},
                {"in", std::to_string(child.pause.count()) + " ms"}});
  }

  void stopAll() {
    for (auto child = children_.rbegin(); child != children_.rend(); ++child) stop(*child);
  }

  void stop(Child& child) {
    if (child.process < 0) return;
    ::kill(child.process, SIGTERM);
    const auto deadline = Steady::now() + 20s;
    while (::waitpid(child.process, nullptr, WNOHANG) == 0) {
      if (Steady::now() > deadline) {
        log::error("supervisor", "a process did not stop in time and is killed", {{"program", child.program}});
        ::kill(child.process, SIGKILL);
        ::waitpid(child.process, nullptr, 0);
        break;
      }
      std::this_thread::sleep_for(20ms);
    }
    child.process = -1;
  }

  std::filesystem::path dataFolder_;
  sigset_t signals_;
  const Secret passphrase_;
  std::vector<Child> children_;
  bool stopping_ = false;
  pid_t anchoring_ = -1;
  Steady::time_point anchorAt_ = Steady::now() + FirstAnchor;
};

void openLog(const config::SiteConfig& site) {
  if (site.logTo == "file") files::makePrivateFolder(site.path(site.logFolder));
  log::open("postern",
            {.level = site.logLevel, .to = site.logTo, .format = site.logFormat, .folder = site.path(site.logFolder)});
}

}  // namespace

Exit runSite(const Context& context) {
  const auto site = config::loadSiteConfig(context.dataFolder);
  // As root it would make files that the units' users cannot read afterwards.
  if (::geteuid() == 0 && std::filesystem::is_symlink(context.dataFolder / "postern.toml"))
    throw Error(ErrorKind::Config, "this site belongs to the users of its units: systemctl start postern.target");
  openLog(site);
  const auto lock = lockSite(context.dataFolder);
  Secret passphrase;
  if (site.rootKeySource == "passphrase") {
    passphrase = vault::askPassphrase("Passphrase of the root key");
    // A wrong one is said here, where the person is, and not by a process that is started again and again.
    vault::RootKeySource::open(site.rootKeySource, site.path(site.rootKey), [&](const std::string&) {
      return passphrase;
    })->candidates();
  }
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGTERM, SIGINT, SIGCHLD, SIGHUP}) sigaddset(&signals, signal);
  ::sigprocmask(SIG_BLOCK, &signals, nullptr);
  Supervisor(std::filesystem::absolute(context.dataFolder), signals, std::move(passphrase)).run();
  return Exit::Ok;
}

}  // namespace postern::cli
