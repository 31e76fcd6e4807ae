#include "core/base/Systemd.h"

#include "core/base/Error.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <charconv>
#include <cstddef>
#include <cstdlib>
#include <cstring>

namespace postern::systemd {

namespace {

constexpr int FirstSocket = 3;  // SD_LISTEN_FDS_START

struct Handed {
  std::string name;
  FileDescriptor socket;
};

struct Given {
  std::vector<Handed> sockets;
  std::optional<std::chrono::microseconds> watchdog;
  std::string notifySocket;
};

Given& given() {
  static Given all;
  return all;
}

// The variable's text; it is gone afterwards.
std::string take(const char* variable) {
  const char* value = std::getenv(variable);
  std::string text = value != nullptr ? value : "";
  ::unsetenv(variable);
  return text;
}

std::int64_t number(const std::string& text) {
  std::int64_t value = 0;
  const auto* end = text.data() + text.size();
  const auto result = std::from_chars(text.data(), end, value);
  return result.ec == std::errc() && result.ptr == end ? value : 0;
}

// The names of the sockets, divided by colons.
std::vector<std::string> split(const std::string& names) {
  std::vector<std::string> parts(1);
  for (const char c : names)
    if (c == ':')
      parts.emplace_back();
    else
      parts.back() += c;
  return parts;
}

bool isForUs(const std::string& process) {
  return number(process) == ::getpid();
}

}  // namespace

void takeEnvironment() {
  auto& all = given();
  all.notifySocket = take("NOTIFY_SOCKET");
  const bool socketsForUs = isForUs(take("LISTEN_PID"));
  const auto count = number(take("LISTEN_FDS"));
  const auto names = split(take("LISTEN_FDNAMES"));
  for (std::int64_t i = 0; socketsForUs && i < count && i < 64; ++i) {
    const int fd = FirstSocket + static_cast<int>(i);
    if (::fcntl(fd, F_SETFD, FD_CLOEXEC) != 0) continue;  // it is not there
    const auto index = static_cast<std::size_t>(i);
    all.sockets.push_back({index < names.size() ? names[index] : "", FileDescriptor(fd)});
  }
  const auto watched = take("WATCHDOG_PID");
  const auto interval = number(take("WATCHDOG_USEC"));
  if ((watched.empty() || isForUs(watched)) && interval > 0) all.watchdog = std::chrono::microseconds(interval);
}

std::vector<FileDescriptor> takeSockets(std::string_view name) {
  std::vector<FileDescriptor> sockets;
  for (auto& handed : given().sockets) {
    if (handed.name != name || !handed.socket) continue;
    int listening = 0;
    socklen_t size = sizeof listening;
    if (::getsockopt(handed.socket.get(), SOL_SOCKET, SO_ACCEPTCONN, &listening, &size) != 0 || listening == 0)
      throw Error(ErrorKind::Config, "the socket \"" + handed.name +
                                         "\" that the service manager handed over does not listen; its unit needs "
                                         "ListenStream= and no Accept=yes");
    ::fcntl(handed.socket.get(), F_SETFL, ::fcntl(handed.socket.get(), F_GETFL) | O_NONBLOCK);
    sockets.push_back(std::move(handed.socket));
  }
  return sockets;
}

std::optional<std::chrono::microseconds> watchdogInterval() {
  return given().watchdog;
}

void notify(const std::string& state) {
  const auto& path = given().notifySocket;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() < 2 || path.size() >= sizeof address.sun_path || (path[0] != '/' && path[0] != '@')) return;
  std::memcpy(address.sun_path, path.data(), path.size());
  if (path[0] == '@') address.sun_path[0] = '\0';
  const FileDescriptor socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!socket) return;
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size());
  ::sendto(socket.get(), state.data(), state.size(), MSG_NOSIGNAL, reinterpret_cast<const sockaddr*>(&address), length);
}

}  // namespace postern::systemd
