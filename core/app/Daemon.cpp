#include "core/app/Daemon.h"

#include "core/base/Error.h"
#include "core/base/Log.h"
#include "core/base/Sanitized.h"

#include <malloc.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>

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

}  // namespace

int runDaemon(const std::string& name, int argc, char** argv, const Confine& confinement, const Start& start) {
  const auto dataFolder = dataFolderOf(argc, argv);
  if (dataFolder.empty()) {
    std::cerr << "usage: " << name << " --data DIR\n";
    return 2;
  }
  hardenProcess();
  raiseDescriptorLimit();
  boundHeaps();
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  log::open(name, "info");
  try {
    const auto config = config::loadSiteConfig(dataFolder);
    log::open(name, config.logLevel);
    if (!confinement(config).enforce())
      log::warning("main", "this kernel has no Landlock: the process is not confined to its own files");
    auto running = start(config);
    log::info("main", "ready");
    int signal = 0;
    ::sigwait(&signals, &signal);
    log::info("main", "stopping", {{"signal", signal}});
    running.reset();
    return 0;
  } catch (const Error& error) {
    log::error("main", error.displayText());
  } catch (const std::exception& error) {
    log::error("main", error.what());
  }
  return 3;
}

}  // namespace postern::app
