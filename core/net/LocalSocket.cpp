#include "core/net/LocalSocket.h"

#include "core/base/Error.h"
#include "core/base/Log.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>

namespace postern::net {

namespace {

sockaddr_un addressOf(const std::filesystem::path& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const auto text = path.string();
  if (text.size() >= sizeof address.sun_path)
    throw Error(ErrorKind::Config, "the path of the local socket is too long (" + std::to_string(text.size()) +
                                       " bytes, at most 107): " + text + "; choose a shorter data folder");
  text.copy(address.sun_path, text.size());
  return address;
}

FileDescriptor makeSocket() {
  FileDescriptor fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd) throwErrno("make", "a local socket");
  return fd;
}

// The group that a folder is shared with: the set-group-ID bit says so.
std::optional<gid_t> sharedGroup(const std::filesystem::path& folder) {
  struct stat facts {};
  if (::stat(folder.c_str(), &facts) != 0 || (facts.st_mode & S_ISGID) == 0) return std::nullopt;
  return facts.st_gid;
}

}  // namespace

LocalSocket LocalSocket::connect(const std::filesystem::path& path) {
  auto fd = makeSocket();
  const auto address = addressOf(path);
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    throw Error(ErrorKind::Unavailable, "nobody answers at " + path.string() + "; is Postern running?");
  return LocalSocket(std::move(fd));
}

void LocalSocket::setTimeLimit(std::chrono::milliseconds limit, std::string lateText) {
  lateText_ = std::move(lateText);
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(limit);
  const timeval time{seconds.count(), std::chrono::microseconds(limit - seconds).count()};
  for (const int direction : {SO_RCVTIMEO, SO_SNDTIMEO})
    if (::setsockopt(fd_.get(), SOL_SOCKET, direction, &time, sizeof time) != 0)
      throwErrno("set the time limit of", "a local connection");
}

void LocalSocket::send(std::string_view frame) {
  if (frame.size() > MaxFrame) throw Error(ErrorKind::Invariant, "a frame is larger than the limit");
  const auto length = static_cast<std::uint32_t>(frame.size());
  const unsigned char header[4] = {static_cast<unsigned char>(length >> 24), static_cast<unsigned char>(length >> 16),
                                   static_cast<unsigned char>(length >> 8), static_cast<unsigned char>(length)};
  iovec parts[2] = {{const_cast<unsigned char*>(header), sizeof header},
                    {const_cast<char*>(frame.data()), frame.size()}};
  msghdr message{};
  message.msg_iov = parts;
  message.msg_iovlen = 2;
  std::size_t left = sizeof header + frame.size();
  while (left > 0) {
    const auto count = ::sendmsg(fd_.get(), &message, MSG_NOSIGNAL);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && errno == EAGAIN) throw Error(ErrorKind::Unavailable, lateText_);
    if (count < 0) throw Error(ErrorKind::Unavailable, "the other process closed the local connection");
    left -= static_cast<std::size_t>(count);
    auto advance = static_cast<std::size_t>(count);
    for (auto& part : parts) {
      const auto used = std::min(advance, part.iov_len);
      part.iov_base = static_cast<char*>(part.iov_base) + used;
      part.iov_len -= used;
      advance -= used;
    }
  }
}

std::optional<std::string> LocalSocket::receive(std::optional<std::chrono::milliseconds> timeout) {
  if (closed_) return std::nullopt;
  if (timeout) {
    pollfd wait{fd_.get(), POLLIN, 0};
    int ready;
    do ready = ::poll(&wait, 1, static_cast<int>(timeout->count()));
    while (ready < 0 && errno == EINTR);
    if (ready == 0) return std::nullopt;
  }
  char header[4];
  if (!readExactly(header, sizeof header, true)) return std::nullopt;
  std::uint32_t length = 0;
  for (const char byte : header) length = (length << 8) | static_cast<unsigned char>(byte);
  if (length > MaxFrame) throw Error(ErrorKind::Malformed, "a frame on the local connection is larger than the limit");
  std::string frame(length, '\0');
  readExactly(frame.data(), frame.size(), false);
  return frame;
}

bool LocalSocket::readExactly(char* to, std::size_t length, bool atFrameStart) {
  std::size_t done = 0;
  while (done < length) {
    const auto count = ::recv(fd_.get(), to + done, length - done, 0);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && errno == EAGAIN) {
      closed_ = true;  // the answer may still come, and would be taken for another
      throw Error(ErrorKind::Unavailable, lateText_);
    }
    if (count <= 0) {
      closed_ = true;
      if (atFrameStart && done == 0) return false;
      throw Error(ErrorKind::Unavailable, "the other process closed the local connection within a message");
    }
    done += static_cast<std::size_t>(count);
  }
  return true;
}

void LocalSocket::shutdown() {
  ::shutdown(fd_.get(), SHUT_RDWR);
}

LocalSocket::Peer LocalSocket::peer() const {
  ucred credentials{};
  socklen_t size = sizeof credentials;
  if (::getsockopt(fd_.get(), SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0)
    throwErrno("ask for the peer of", "a local connection");
  return {credentials.uid, credentials.gid, credentials.pid};
}

LocalListener::LocalListener(const std::filesystem::path& path, For whom)
    : path_(path), fd_(makeSocket()), wake_(::eventfd(0, EFD_CLOEXEC)) {
  if (whom == For::FolderGroup) group_ = sharedGroup(path.parent_path());
  const auto address = addressOf(path);
  ::unlink(path.c_str());
  if (::bind(fd_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) throwErrno("bind", path);
  // Nobody is served before listen(), so the file's first mode, which the umask made, lets nobody in.
  if (::chmod(path.c_str(), group_ ? 0660 : 0600) != 0) throwErrno("set the permissions of", path);
  if (::listen(fd_.get(), 128) != 0) throwErrno("listen on", path);
}

LocalListener::~LocalListener() {
  ::unlink(path_.c_str());
}

bool LocalListener::mayConnect(const LocalSocket::Peer& peer) const {
  return peer.user == 0 || peer.user == ::geteuid() || (group_ && peer.group == *group_);
}

std::optional<LocalSocket> LocalListener::accept() {
  for (;;) {
    pollfd waits[2] = {{fd_.get(), POLLIN, 0}, {wake_.get(), POLLIN, 0}};
    if (::poll(waits, 2, -1) < 0) {
      if (errno == EINTR) continue;
      throwErrno("wait on", path_);
    }
    if (waits[1].revents != 0) {
      fd_.reset();  // clients still waiting to be accepted see the connection closed
      return std::nullopt;
    }
    FileDescriptor fd(::accept4(fd_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (!fd) continue;
    LocalSocket socket(std::move(fd));
    const auto peer = socket.peer();
    if (mayConnect(peer)) return socket;
    log::warning("local", "refused a local connection from a foreign user",
                 {{"user", peer.user}, {"path", path_.string()}});
  }
}

void LocalListener::shutdown() {
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = ::write(wake_.get(), &one, sizeof one);
}

}  // namespace postern::net
