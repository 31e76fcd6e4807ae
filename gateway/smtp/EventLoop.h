#pragma once
#include "core/base/Files.h"

#include <cstdint>
#include <optional>

namespace postern::gateway {

// Waits for many sockets with few threads: each thread that calls wait() gets one socket at a time, and no other gets
// it before arm() was called again (EPOLLONESHOT). A socket leaves the loop when its descriptor is closed.
// Threads: safe for all. Errors: throws Error(Io) when the kernel refuses.
class EventLoop {
public:
  enum class For { Read, Write };

  EventLoop();
  void arm(int descriptor, std::uint64_t id, For what, bool isNew);
  // The id of a socket that is ready; nothing once wakeAll() was called.
  std::optional<std::uint64_t> wait();
  void wakeAll();  // all waits return nothing from now on

private:
  FileDescriptor epoll_;
  FileDescriptor wake_;
};

}  // namespace postern::gateway
