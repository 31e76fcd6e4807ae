#pragma once
#include "core/base/Files.h"

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace postern::net {

// A connected stream socket between two of our processes that carries frames: a 32-bit big-endian length, then bytes.
// Threads: one thread sends and one receives at a time.
// Errors: Error(Unavailable) when the peer is gone, Error(Malformed) when a frame is larger than the limit.
class LocalSocket {
public:
  static constexpr std::size_t MaxFrame = 256u << 20;

  explicit LocalSocket(FileDescriptor fd) : fd_(std::move(fd)) {}
  static LocalSocket connect(const std::filesystem::path& path);

  // From now on send() and receive() throw Error(Unavailable) with this text when the peer takes or gives nothing for
  // so long; the connection is of no use then.
  void setTimeLimit(std::chrono::milliseconds limit, std::string lateText);

  void send(std::string_view frame);

  // The next frame; nothing when the peer closed between frames or the timeout passed (see `closed`).
  std::optional<std::string> receive(std::optional<std::chrono::milliseconds> timeout = std::nullopt);
  bool closed() const { return closed_; }

  // Wakes a thread that waits in receive(); later calls see the connection closed.
  void shutdown();

  // Who is at the other end, as the kernel says (SO_PEERCRED).
  struct Peer {
    uid_t user;
    gid_t group;
    pid_t process;
  };
  Peer peer() const;

  int descriptor() const { return fd_.get(); }

private:
  bool readExactly(char* to, std::size_t length, bool atFrameStart);
  FileDescriptor fd_;
  std::string lateText_;
  bool closed_ = false;
};

// A listening local socket at a path. Takes the place of a stale socket file.
// Who may connect: processes of our own user and root. Where the folder of the socket has the set-group-ID bit, its
// group may, too (the units of the packages run each process as a user of its own): then the file is writable for that
// group, and the peer's group is compared all the same.
class LocalListener {
public:
  enum class For { OwnUser, FolderGroup };  // FolderGroup: as above; OwnUser: whatever the folder says

  explicit LocalListener(const std::filesystem::path& path, For whom = For::OwnUser);
  ~LocalListener();

  // The next connection of those who may connect; others are closed and logged.
  // Nothing once shutdown() was called.
  std::optional<LocalSocket> accept();
  void shutdown();

private:
  bool mayConnect(const LocalSocket::Peer& peer) const;

  std::filesystem::path path_;
  FileDescriptor fd_;
  FileDescriptor wake_;
  std::optional<gid_t> group_;
};

}  // namespace postern::net
