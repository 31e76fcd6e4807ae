#include "core/base/Error.h"
#include "core/base/Systemd.h"
#include "tests/support/TempFolder.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <functional>

using namespace postern;

namespace {

// The environment is taken once in a process, so each case has one of its own.
bool inChild(const std::function<bool()>& check) {
  const auto process = ::fork();
  if (process == 0) ::_exit(check() ? 0 : 1);
  int status = 0;
  ::waitpid(process, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

// Puts a socket where the service manager would: descriptor 3 and up.
void putSocket(int at, bool listens) {
  const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  if (listens) ::listen(fd, 1);
  ::dup2(fd, at);
  if (fd != at) ::close(fd);
}

void say(const char* name, const std::string& value) {
  ::setenv(name, value.c_str(), 1);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(core_base_Systemd)

BOOST_AUTO_TEST_CASE(sockets_are_given_by_name_once_and_not_to_children) {
  BOOST_TEST(inChild([] {
    putSocket(3, true);
    putSocket(4, true);
    putSocket(5, true);
    say("LISTEN_PID", std::to_string(::getpid()));
    say("LISTEN_FDS", "3");
    say("LISTEN_FDNAMES", "smtp:web:smtp");
    systemd::takeEnvironment();
    const auto smtp = systemd::takeSockets("smtp");
    const bool closedOnExec = (::fcntl(4, F_GETFD) & FD_CLOEXEC) != 0;
    const bool waits = (::fcntl(3, F_GETFL) & O_NONBLOCK) == 0;
    return smtp.size() == 2 && smtp[0].get() == 3 && smtp[1].get() == 5 && closedOnExec && !waits &&
           systemd::takeSockets("smtp").empty() && systemd::takeSockets("smtps").empty() &&
           systemd::takeSockets("web").size() == 1 && std::getenv("LISTEN_FDS") == nullptr;
  }));
}

BOOST_AUTO_TEST_CASE(sockets_of_another_process_are_left_alone) {
  BOOST_TEST(inChild([] {
    putSocket(3, true);
    say("LISTEN_PID", std::to_string(::getppid()));
    say("LISTEN_FDS", "1");
    say("LISTEN_FDNAMES", "smtp");
    systemd::takeEnvironment();
    return systemd::takeSockets("smtp").empty() && ::fcntl(3, F_GETFD) >= 0;
  }));
}

BOOST_AUTO_TEST_CASE(a_socket_that_does_not_listen_is_refused) {
  BOOST_TEST(inChild([] {
    putSocket(3, false);
    say("LISTEN_PID", std::to_string(::getpid()));
    say("LISTEN_FDS", "1");
    say("LISTEN_FDNAMES", "smtp");
    systemd::takeEnvironment();
    try {
      systemd::takeSockets("smtp");
    } catch (const Error& error) {
      return error.kind() == ErrorKind::Config;
    }
    return false;
  }));
}

BOOST_AUTO_TEST_CASE(what_is_said_arrives_at_the_named_socket) {
  test::TempFolder folder;
  const auto path = (folder / "notify").string();
  const FileDescriptor manager(::socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  BOOST_REQUIRE(::bind(manager.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  BOOST_TEST(inChild([&] {
    say("NOTIFY_SOCKET", path);
    say("WATCHDOG_USEC", "3000000");
    systemd::takeEnvironment();
    systemd::notify("READY=1");
    return systemd::watchdogInterval() == std::chrono::seconds(3) && std::getenv("NOTIFY_SOCKET") == nullptr;
  }));
  char text[64];
  const auto length = ::recv(manager.get(), text, sizeof text, 0);
  BOOST_REQUIRE(length > 0);
  BOOST_TEST(std::string(text, static_cast<std::size_t>(length)) == "READY=1");
}

BOOST_AUTO_TEST_CASE(without_a_service_manager_nothing_is_said_and_nothing_asked) {
  BOOST_TEST(inChild([] {
    for (const auto* name : {"NOTIFY_SOCKET", "WATCHDOG_USEC", "LISTEN_PID", "LISTEN_FDS"}) ::unsetenv(name);
    systemd::takeEnvironment();
    systemd::notify("READY=1");
    return !systemd::watchdogInterval() && systemd::takeSockets("").empty();
  }));
}

BOOST_AUTO_TEST_CASE(a_watchdog_of_another_process_is_not_ours) {
  BOOST_TEST(inChild([] {
    say("WATCHDOG_USEC", "3000000");
    say("WATCHDOG_PID", std::to_string(::getppid()));
    systemd::takeEnvironment();
    return !systemd::watchdogInterval();
  }));
}

BOOST_AUTO_TEST_SUITE_END()
