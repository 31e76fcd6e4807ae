#include "core/app/Daemon.h"

#include "core/app/Reload.h"
#include "core/base/Error.h"
#include "core/base/Files.h"
#include "core/base/Log.h"
#include "core/base/Sanitized.h"
#include "core/base/Systemd.h"

#include <malloc.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include <cerrno>
#include <iostream>

namespace postern::app {

namespace {

std::string dataFolderOf(int argc, char** argv) {
  if (argc == 3 && std::string_view(argv[1]) == "--data") return argv[2];
  return {};
}

void hardenProcess() {
  const rlimit none{0, 0};
  ::setrlimit(RLIMIT_CORE, &none);
  if (!Sanitized) ::prctl(PR_SET_DUMPABLE, 0);
  ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  ::signal(SIGPIPE, SIG_IGN);
}

// As many descriptors as the system lets us have: one for each connection.
void raiseDescriptorLimit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

// The C library gives threads that meet in malloc a heap each, up to eight for every core, and each keeps the most that
// ever was in use in it: with posts of 1 MB each further post took megabytes more. Two are enough: what is small comes
// from the cache of each thread. Large pieces are mapped by themselves and go back to the system with their last use;
// without a limit set here that stops with the first one that is freed.
void boundHeaps() {
  ::mallopt(M_ARENA_MAX, 2);
  ::mallopt(M_MMAP_THRESHOLD, 256 << 10);
  ::mallopt(M_TRIM_THRESHOLD, 1 << 20);
}

sigset_t blockSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&signals, signal);
  ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  return signals;
}

log::Options logOptions(const config::SiteConfig& config) {
  return {.level = config.logLevel,
          .to = config.logTo,
          .format = config.logFormat,
          .folder = config.path(config.logFolder)};
}

std::string listed(const std::vector<std::string>& items) {
  std::string text;
  for (const auto& item : items) text += (text.empty() ? "" : ", ") + item;
  return text;
}

// A configuration that is wrong now leaves all as it was.
void reload(const std::string& name, const std::string& dataFolder, Service& service) {
  systemd::notify("RELOADING=1");
  try {
    const auto fresh = config::loadSiteConfig(dataFolder);
    const auto merged = Settings::merged(fresh);
    log::open(name, logOptions(merged));
    service.reload(merged);
    Settings::reload(fresh, SystemClock().now());
    const auto state = Settings::state();
    log::info("main", "the settings were read again",
              {{"changed", listed(state.taken)}, {"needRestart", listed(state.restart)}});
  } catch (const std::exception& error) {
    Settings::refused(error.what(), SystemClock().now());
    log::error("main", "the settings were not read again; all is as it was", {{"reason", error.what()}});
  }
  systemd::notify("READY=1");
}

Confinement withLog(Confinement walls, const config::SiteConfig& config) {
  if (config.logTo == "file") {
    files::makePrivateFolder(config.path(config.logFolder));
    walls.mayWrite(config.path(config.logFolder));
  }
  return walls;
}

void beat(Service& service, bool& wasAlive) {
  const bool alive = service.alive();
  if (alive) systemd::notify("WATCHDOG=1");
  if (!alive && wasAlive) log::error("main", "a loop hangs: no heart-beat until it turns again");
  wasAlive = alive;
}

// The signal that ends the process.
int waitForEnd(Service& service, const sigset_t& signals, const std::function<void()>& reloadNow) {
  const auto interval = systemd::watchdogInterval();
  const auto pause = interval.value_or(std::chrono::hours(1)) / 3;
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(pause);
  const timespec patience{seconds.count(), std::chrono::nanoseconds(pause - seconds).count()};
  bool wasAlive = true;
  for (;;) {
    if (interval) beat(service, wasAlive);
    const int signal = ::sigtimedwait(&signals, nullptr, &patience);
    if (signal == SIGHUP) reloadNow();
    if (signal == SIGTERM || signal == SIGINT) return signal;
  }
}

// What daemons and tasks have in common, and the boundary of both.
int runFramed(const std::string& name, const std::string& dataFolder, const Confine& confinement, const Task& work) {
  systemd::takeEnvironment();
  hardenProcess();
  raiseDescriptorLimit();
  boundHeaps();
  log::open(name, "info");
  try {
    const auto config = config::loadSiteConfig(dataFolder);
    const auto walls = withLog(confinement(config), config);
    log::open(name, logOptions(config));
    Settings::start(config, SystemClock().now());
    if (!walls.enforce())
      log::warning("main", "this kernel has no Landlock: the process is not confined to its own files");
    return work(config);
  } catch (const Error& error) {
    log::error("main", error.displayText());
  } catch (const std::exception& error) {
    log::error("main", error.what());
  }
  return 3;
}

}  // namespace

int runTask(const std::string& name, const std::string& dataFolder, const Confine& confinement, const Task& task) {
  return runFramed(name, dataFolder, confinement, task);
}

int runDaemon(const std::string& name, int argc, char** argv, const Confine& confinement, const Start& start) {
  const auto dataFolder = dataFolderOf(argc, argv);
  if (dataFolder.empty()) {
    std::cerr << "usage: " << name << " --data DIR\n";
    return 2;
  }
  const auto signals = blockSignals();
  return runFramed(name, dataFolder, confinement, [&](const config::SiteConfig& config) {
    auto running = start(config);
    log::info("main", "ready");
    systemd::notify("READY=1");
    const int signal = waitForEnd(*running, signals, [&] { reload(name, dataFolder, *running); });
    systemd::notify("STOPPING=1");
    log::info("main", "stopping", {{"signal", signal}});
    running.reset();
    return 0;
  });
}

}  // namespace postern::app
