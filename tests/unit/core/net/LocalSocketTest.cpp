#include "core/base/Error.h"
#include "core/net/LocalSocket.h"
#include "tests/support/TempFolder.h"

#include <grp.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <thread>

using namespace postern;
using net::LocalListener;

namespace {

constexpr gid_t Shared = 4711;
constexpr uid_t Stranger = 4712;

// What a stranger of that group gets: true if the listener serves him.
bool served(const std::filesystem::path& socket, gid_t group) {
  const auto process = ::fork();
  if (process == 0) {
    if (::setgroups(0, nullptr) != 0 || ::setgid(group) != 0 || ::setuid(Stranger) != 0) ::_exit(2);
    try {
      auto connection = net::LocalSocket::connect(socket);
      connection.send("?");
      ::_exit(connection.receive(std::chrono::seconds(5)) ? 0 : 1);
    } catch (const Error&) {
      ::_exit(1);
    }
  }
  int status = 0;
  ::waitpid(process, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

// A listener that answers everybody whom it lets in.
class Answering {
public:
  Answering(const std::filesystem::path& path, LocalListener::For whom)
      : listener_(path, whom), thread_([this] {
          while (auto socket = listener_.accept())
            if (socket->receive(std::chrono::seconds(5))) socket->send("!");
        }) {}
  ~Answering() {
    listener_.shutdown();
    thread_.join();
  }

private:
  LocalListener listener_;
  std::thread thread_;
};

mode_t modeOf(const std::filesystem::path& path) {
  struct stat facts {};
  BOOST_REQUIRE(::stat(path.c_str(), &facts) == 0);
  return facts.st_mode & 0777;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(core_net_LocalSocket)

BOOST_AUTO_TEST_CASE(a_socket_is_for_its_own_user_unless_its_folder_is_shared) {
  test::TempFolder folder;
  const LocalListener alone(folder / "a", LocalListener::For::OwnUser);
  const LocalListener unshared(folder / "b", LocalListener::For::FolderGroup);
  BOOST_TEST(modeOf(folder / "a") == 0600u);
  BOOST_TEST(modeOf(folder / "b") == 0600u);
  BOOST_REQUIRE(::chmod((folder / ".").c_str(), 02710) == 0);
  const LocalListener shared(folder / "c", LocalListener::For::FolderGroup);
  const LocalListener notThis(folder / "d", LocalListener::For::OwnUser);
  BOOST_TEST(modeOf(folder / "c") == 0660u);
  BOOST_TEST(modeOf(folder / "d") == 0600u);
}

BOOST_AUTO_TEST_CASE(the_group_of_a_shared_folder_is_served_and_nobody_else) {
  if (::geteuid() != 0) {
    BOOST_TEST_MESSAGE("passed over: only root can become other users");
    return;
  }
  test::TempFolder folder;
  BOOST_REQUIRE(::chown((folder / ".").c_str(), 0, Shared) == 0);
  BOOST_REQUIRE(::chmod((folder / ".").c_str(), 02711) == 0);
  const Answering open(folder / "web", LocalListener::For::FolderGroup);
  const Answering closed(folder / "command", LocalListener::For::OwnUser);
  BOOST_TEST(served(folder / "web", Shared));
  BOOST_TEST(!served(folder / "web", Shared + 1));
  BOOST_TEST(!served(folder / "command", Shared));
  // Also when the file's own permission was loosened, the peer is looked at.
  BOOST_REQUIRE(::chmod((folder / "web").c_str(), 0666) == 0);
  BOOST_REQUIRE(::chmod((folder / "command").c_str(), 0666) == 0);
  BOOST_TEST(!served(folder / "web", Shared + 1));
  BOOST_TEST(!served(folder / "command", Shared));
}

BOOST_AUTO_TEST_SUITE_END()
