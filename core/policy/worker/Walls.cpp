#include "core/policy/worker/Walls.h"

#include "core/base/Error.h"
#include "core/base/Files.h"
#include "core/base/Sanitized.h"

#include <fcntl.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <string>

namespace postern::policy::worker {

namespace {

// CPU seconds of a worker's whole life. The host's wall clock ends a single call; this ends a worker whose host died
// while a script was looping.
constexpr rlim_t CpuLife = 60;
constexpr rlim_t MemoryAboveStart = 256u << 20;

[[noreturn]] void fail(const char* what) {
  throw Error(ErrorKind::Config, std::string("cannot confine the policy worker: ") + what + ": " +
                                     std::strerror(errno) + "; it runs no policy without its walls");
}

void limit(__rlimit_resource resource, rlim_t value, const char* what) {
  const rlimit both{value, value};
  if (::setrlimit(resource, &both) != 0) fail(what);
}

rlim_t addressSpace() {
  const auto pages = std::stoull(files::read("/proc/self/statm"));
  return pages * static_cast<rlim_t>(::sysconf(_SC_PAGESIZE));
}

void setLimits() {
  // The sanitizers reserve terabytes of addresses for their shadow.
  if (!Sanitized) limit(RLIMIT_AS, addressSpace() + MemoryAboveStart, "limit its memory");
  limit(RLIMIT_CORE, 0, "forbid core files");
  limit(RLIMIT_CPU, CpuLife, "limit its CPU time");
  limit(RLIMIT_FSIZE, 0, "forbid writing files");
  limit(RLIMIT_NPROC, 0, "forbid new processes");
  limit(RLIMIT_NOFILE, 0, "forbid new descriptors");
}

struct FilterRelease {
  void operator()(scmp_filter_ctx filter) const { ::seccomp_release(filter); }
};

void allow(scmp_filter_ctx filter, int call) {
  errno = -::seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, call, 0, nullptr);
  if (errno != 0) fail("add a rule to its filter");
}

// Memory may be had, but never memory that can be run, nor a file in memory.
void allowWithoutExec(scmp_filter_ctx filter, int call) {
  const scmp_arg_cmp notExecutable{2, SCMP_CMP_MASKED_EQ, PROT_EXEC, 0};
  errno = -::seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, call, 1, &notExecutable);
  if (errno != 0) fail("add a rule to its filter");
}

void filterCalls() {
  const std::unique_ptr<void, FilterRelease> filter(::seccomp_init(SCMP_ACT_KILL_PROCESS));
  if (!filter) fail("make its filter");
  for (const int call : {SCMP_SYS(read), SCMP_SYS(recvfrom), SCMP_SYS(recvmsg), SCMP_SYS(write), SCMP_SYS(sendto),
                         SCMP_SYS(sendmsg), SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise), SCMP_SYS(brk),
                         SCMP_SYS(futex), SCMP_SYS(clock_gettime), SCMP_SYS(getrandom), SCMP_SYS(restart_syscall),
                         SCMP_SYS(rt_sigreturn), SCMP_SYS(rt_sigprocmask), SCMP_SYS(exit), SCMP_SYS(exit_group)})
    allow(filter.get(), call);
  allowWithoutExec(filter.get(), SCMP_SYS(mmap));
  allowWithoutExec(filter.get(), SCMP_SYS(mprotect));
  if (Sanitized)
    for (const int call : {SCMP_SYS(sigaltstack), SCMP_SYS(gettid), SCMP_SYS(getpid), SCMP_SYS(sched_yield)})
      allow(filter.get(), call);
  errno = -::seccomp_load(filter.get());
  if (errno != 0) fail("load its filter");
}

}  // namespace

void confine(int socket) {
  setLimits();
  const auto beyond = static_cast<unsigned>(socket) + 1;
  if (socket > 0 && ::close_range(0, static_cast<unsigned>(socket) - 1, 0) != 0) fail("close its descriptors");
  // A sanitizer's report needs standard error.
  const auto first = Sanitized && beyond < 3 ? 3u : beyond;
  if (::close_range(first, ~0u, 0) != 0) fail("close its descriptors");
  // The subject of a mail must not be read out of this process, by a debugger or a core file.
  if (!Sanitized && ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) fail("forbid looking into it");
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) fail("give up new privileges");
  filterCalls();
}

bool wantsToRetire() {
  timespec used{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
  return used.tv_sec >= static_cast<time_t>(CpuLife) / 2;
}

bool tryForbidden(const char* name) {
  const std::string what = name;
  if (what == "open") return ::open("/etc/passwd", O_RDONLY | O_CLOEXEC) >= 0;
  if (what == "socket") return ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0) >= 0;
  if (what == "fork") return ::fork() >= 0;
  if (what == "kill") return ::kill(::getppid(), 0) == 0;
  if (what == "thread") return ::syscall(SYS_clone, CLONE_VM | CLONE_SIGHAND | CLONE_THREAD, nullptr) >= 0;
  if (what == "exec-memory")
    return ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED;
  if (what == "exec") {
    char program[] = "/bin/true";
    char* const arguments[] = {program, nullptr};
    char* const environment[] = {nullptr};
    ::execve(program, arguments, environment);
    return false;
  }
  throw Error(ErrorKind::Config, "nothing forbidden is called " + what +
                                     "; there are open, socket, fork, exec, kill, thread and exec-memory");
}

}  // namespace postern::policy::worker
