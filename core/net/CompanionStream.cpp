#include "core/net/CompanionStream.h"

#include "core/base/Error.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace postern::net {
namespace {

struct SocketAddress {
  sockaddr_storage bytes{};
  socklen_t size = 0;
};

template <class Native>
SocketAddress packed(const Native& native) {
  SocketAddress address;
  std::memcpy(&address.bytes, &native, sizeof native);
  address.size = sizeof native;
  return address;
}

SocketAddress socketAddressOf(const CompanionAddress& address) {
  if (address.isSocketFile()) {
    sockaddr_un native{};
    native.sun_family = AF_UNIX;
    std::memcpy(native.sun_path, address.path.c_str(), std::min(address.path.size() + 1, sizeof native.sun_path));
    return packed(native);
  }
  sockaddr_in v4{};
  if (inet_pton(AF_INET, address.host.c_str(), &v4.sin_addr) == 1) {
    v4.sin_family = AF_INET;
    v4.sin_port = htons(address.port);
    return packed(v4);
  }
  sockaddr_in6 v6{};
  inet_pton(AF_INET6, address.host.c_str(), &v6.sin6_addr);
  v6.sin6_family = AF_INET6;
  v6.sin6_port = htons(address.port);
  return packed(v6);
}

std::string reasonOf(int error) {
  return std::generic_category().message(error);
}

}  // namespace

CompanionStream::CompanionStream(const CompanionAddress& address, std::chrono::milliseconds timeLimit, std::string name)
    : name_(std::move(name)), deadline_(std::chrono::steady_clock::now() + timeLimit) {
  const auto target = socketAddressOf(address);
  fd_ = FileDescriptor(::socket(target.bytes.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd_) fail("no socket: " + reasonOf(errno));
  const int on = 1;
  if (!address.isSocketFile()) ::setsockopt(fd_.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  sockaddr_storage bytes = target.bytes;
  void* const pointer = &bytes;
  if (::connect(fd_.get(), static_cast<const sockaddr*>(pointer), target.size) == 0) return;
  if (errno != EINPROGRESS) fail("cannot be reached at " + address.text() + ": " + reasonOf(errno));
  waitFor(POLLOUT);
  int error = 0;
  socklen_t size = sizeof error;
  ::getsockopt(fd_.get(), SOL_SOCKET, SO_ERROR, &error, &size);
  if (error != 0) fail("cannot be reached at " + address.text() + ": " + reasonOf(error));
}

void CompanionStream::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto sent = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent > 0)
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    else if (errno == EAGAIN)
      waitFor(POLLOUT);
    else if (errno != EINTR)
      fail("takes nothing any more: " + reasonOf(errno));
  }
}

std::string CompanionStream::receiveSome(std::size_t most) {
  std::string bytes(most, '\0');
  for (;;) {
    const auto count = ::recv(fd_.get(), bytes.data(), bytes.size(), 0);
    if (count >= 0) {
      bytes.resize(static_cast<std::size_t>(count));
      return bytes;
    }
    if (errno == EAGAIN)
      waitFor(POLLIN);
    else if (errno != EINTR)
      fail("says nothing any more: " + reasonOf(errno));
  }
}

std::string CompanionStream::receiveExactly(std::size_t count) {
  constexpr std::size_t Step = 65536;  // what is announced is not paid for before it comes
  std::string bytes;
  while (bytes.size() < count) {
    const auto some = receiveSome(std::min(Step, count - bytes.size()));
    if (some.empty()) fail("has closed the connection");
    bytes += some;
  }
  return bytes;
}

void CompanionStream::waitFor(short events) {
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline_ - std::chrono::steady_clock::now());
  pollfd wanted{fd_.get(), events, 0};
  const auto ready = left.count() <= 0 ? 0 : ::poll(&wanted, 1, static_cast<int>(left.count()));
  if (ready == 0) fail("does not answer in time");
  if (ready < 0 && errno != EINTR) fail(reasonOf(errno));
}

void CompanionStream::fail(const std::string& what) const {
  throw Error(ErrorKind::Unavailable, name_ + " " + what);
}

}  // namespace postern::net
