#include "core/app/Daemon.h"
#include "core/base/Files.h"
#include "tests/support/TempFolder.h"

#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <thread>

using namespace postern;
using namespace std::chrono_literals;

namespace {

enum class Loop { Turns, SaysNo, NeverAnswers };

struct Fake : app::Service {
  explicit Fake(Loop l) : loop(l) {}
  bool alive() override {
    while (loop == Loop::NeverAnswers) std::this_thread::sleep_for(1s);
    return loop == Loop::Turns;
  }
  Loop loop;
};

// A service manager with one daemon under it, whose watchdog is 300 ms.
class Managed {
public:
  explicit Managed(Loop loop) : manager_(::socket(AF_UNIX, SOCK_DGRAM, 0)) {
    files::replaceDurably(folder_ / "postern.toml", "");
    const auto path = (folder_ / "notify").string();
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    BOOST_REQUIRE(::bind(manager_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
    process_ = ::fork();
    if (process_ == 0) ::_exit(daemon(loop, path));
  }
  ~Managed() {
    ::kill(process_, SIGKILL);
    ::waitpid(process_, nullptr, 0);
  }

  void signal(int which) const { ::kill(process_, which); }

  // What it says next; nothing after so long.
  std::string hears(std::chrono::milliseconds patience = 5s) const {
    pollfd wait{manager_.get(), POLLIN, 0};
    if (::poll(&wait, 1, static_cast<int>(patience.count())) <= 0) return "";
    char text[128];
    const auto length = ::recv(manager_.get(), text, sizeof text, 0);
    return std::string(text, static_cast<std::size_t>(std::max<ssize_t>(length, 0)));
  }
  // As hears(), without the heart-beats.
  std::string hearsElse() const {
    auto said = hears();
    while (said == "WATCHDOG=1") said = hears();
    return said;
  }
  int exitCode() const {
    int status = 0;
    ::waitpid(process_, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

private:
  int daemon(Loop loop, const std::string& notifySocket) const {
    ::setenv("NOTIFY_SOCKET", notifySocket.c_str(), 1);
    ::setenv("WATCHDOG_USEC", "300000", 1);
    ::unsetenv("WATCHDOG_PID");
    std::string name = "test", option = "--data", data = folder_.path().string();
    char* arguments[] = {name.data(), option.data(), data.data()};
    return app::runDaemon(
        "test", 3, arguments, [](const config::SiteConfig&) { return app::Confinement().mayRead("/tmp"); },
        [loop](const config::SiteConfig&) { return std::make_shared<Fake>(loop); });
  }

  test::TempFolder folder_;
  FileDescriptor manager_;
  pid_t process_ = -1;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(core_app_Daemon)

BOOST_AUTO_TEST_CASE(a_service_that_lives_is_ready_beats_reloads_and_ends) {
  const Managed managed(Loop::Turns);
  BOOST_TEST(managed.hears() == "READY=1");
  for (int i = 0; i < 3; ++i) BOOST_TEST(managed.hears() == "WATCHDOG=1");
  managed.signal(SIGHUP);
  BOOST_TEST(managed.hearsElse() == "RELOADING=1");
  BOOST_TEST(managed.hearsElse() == "READY=1");
  managed.signal(SIGTERM);
  BOOST_TEST(managed.hearsElse() == "STOPPING=1");
  BOOST_TEST(managed.exitCode() == 0);
}

BOOST_AUTO_TEST_CASE(a_loop_that_hangs_stops_the_heart) {
  for (const auto loop : {Loop::SaysNo, Loop::NeverAnswers}) {
    const Managed managed(loop);
    BOOST_TEST(managed.hears() == "READY=1");
    BOOST_TEST(managed.hears(1s) == "");
  }
}

BOOST_AUTO_TEST_SUITE_END()
