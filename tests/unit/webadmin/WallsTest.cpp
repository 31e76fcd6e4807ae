// A web process that strangers took over: what it may reach, tried from inside its walls.
#include "core/app/Orders.h"
#include "core/base/Files.h"
#include "tests/support/TempFolder.h"
#include "webadmin/Walls.h"

#include <fcntl.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <functional>
#include <nlohmann/json.hpp>

using namespace postern;

namespace {

// In a child, because there is no way back out of the walls.
bool inChild(const std::function<bool()>& check) {
  const auto process = ::fork();
  if (process == 0) {
    try {
      ::_exit(check() ? 0 : 1);
    } catch (const std::exception&) {
      ::_exit(2);
    }
  }
  int status = 0;
  ::waitpid(process, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

bool opens(const std::filesystem::path& path, int flags) {
  return FileDescriptor(::open(path.c_str(), flags | O_CLOEXEC, 0600)).get() >= 0;
}

bool runs(const std::string& command) {
  return std::system((command + " >/dev/null 2>&1").c_str()) == 0;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(webadmin_Walls)

BOOST_AUTO_TEST_CASE(it_reaches_listd_but_neither_the_key_of_the_command_line_nor_the_place_of_a_socket) {
  test::TempFolder folder;
  config::SiteConfig config;
  config.dataFolder = folder.path();
  for (const auto* name : {"listd", "run", "web", "tls", "vault", "keys"}) files::makePrivateFolder(folder / name);
  files::replaceDurably(config.commandKey(), "the key");
  const auto key = config.commandKey().string();
  app::OrderServer server(config.webSocket().string(),
                          [](std::string_view, const app::Actor&, const nlohmann::json&) { return nlohmann::json(1); });
  const auto walled = [&](const std::function<bool()>& check) {
    return inChild([&] { return webadmin::wallsOf(config).enforce() && check(); });
  };
  BOOST_TEST(walled([&] {
    return app::OrderClient(config.webSocket().string()).give("x", {"web", ""}, nlohmann::json::object()) == 1;
  }));
  for (const auto* place : {"web/new", "new", "tls/new"})  // it keeps nothing
    BOOST_TEST(walled([&] { return !opens(folder / place, O_CREAT | O_RDWR); }), place);
  BOOST_TEST(inChild([&] { return opens(key, O_RDONLY) && runs("/bin/cat " + key); }));
  BOOST_TEST(walled([&] { return !opens(key, O_RDONLY) && !opens(folder / "listd", O_RDONLY); }));
  // Not through another program: what it starts stands within the same walls.
  BOOST_TEST(walled([&] { return runs("/bin/true") && !runs("/bin/cat " + key); }));
  // Nor by moving it to where it may read, or by taking it away.
  BOOST_TEST(walled([&] {
    const std::string stolen = (folder / "web/stolen").string();
    return ::rename(key.c_str(), stolen.c_str()) != 0 && ::link(key.c_str(), stolen.c_str()) != 0 &&
           ::unlink(key.c_str()) != 0 && ::unlink(config.webSocket().c_str()) != 0;
  }));
  for (const auto* place : {"listd/command.sock", "listd/new", "run/any.sock"})
    BOOST_TEST(walled([&] { return !opens(folder / place, O_CREAT | O_RDWR); }), place);
  // Nor by looking into a process outside, be it listd or the command line.
  BOOST_TEST(walled([&] {
    const auto outside = ::getppid();
    return ::ptrace(PTRACE_SEIZE, outside, nullptr, nullptr) != 0 &&
           !opens("/proc/" + std::to_string(outside) + "/mem", O_RDONLY);
  }));
}

BOOST_AUTO_TEST_SUITE_END()
