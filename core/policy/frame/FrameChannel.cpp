#include "core/policy/frame/FrameChannel.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>

namespace postern::policy {

// Waits until the socket is ready. Without a deadline the calls below block by themselves: the worker has
// RLIMIT_NOFILE 0, under which poll() is refused.
FrameChannel::Status FrameChannel::wait(short events, Deadline deadline) const {
  if (!deadline) return Status::Ok;
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(*deadline - std::chrono::steady_clock::now());
    if (left.count() <= 0) return Status::Timeout;
    pollfd waiter{fd_.get(), events, 0};
    const int ready = ::poll(&waiter, 1, static_cast<int>(std::min<std::int64_t>(left.count(), 3'600'000)));
    if (ready > 0) return Status::Ok;
    if (ready < 0 && errno != EINTR) return Status::Closed;
  }
}

FrameChannel::Status FrameChannel::send(std::string_view frame, Deadline deadline) {
  if (frame.size() > MaxRequest) return Status::TooLarge;
  const auto length = static_cast<std::uint32_t>(frame.size());
  unsigned char header[4] = {static_cast<unsigned char>(length >> 24), static_cast<unsigned char>(length >> 16),
                             static_cast<unsigned char>(length >> 8), static_cast<unsigned char>(length)};
  iovec parts[2] = {{header, sizeof header}, {const_cast<char*>(frame.data()), frame.size()}};
  msghdr message{};
  message.msg_iov = parts;
  message.msg_iovlen = 2;
  std::size_t left = sizeof header + frame.size();
  const int flags = MSG_NOSIGNAL | (deadline ? MSG_DONTWAIT : 0);
  while (left > 0) {
    const auto count = ::sendmsg(fd_.get(), &message, flags);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && errno == EAGAIN) {
      if (const auto status = wait(POLLOUT, deadline); status != Status::Ok) return status;
      continue;
    }
    if (count < 0) return Status::Closed;
    auto advance = static_cast<std::size_t>(count);
    left -= advance;
    for (auto& part : parts) {
      const auto used = std::min(advance, part.iov_len);
      part.iov_base = static_cast<char*>(part.iov_base) + used;
      part.iov_len -= used;
      advance -= used;
    }
  }
  return Status::Ok;
}

FrameChannel::Status FrameChannel::receive(std::string& frame, std::size_t maxSize, Deadline deadline) {
  char header[4];
  if (const auto status = readExactly(header, sizeof header, deadline); status != Status::Ok) return status;
  std::uint32_t length = 0;
  for (const char byte : header) length = (length << 8) | static_cast<unsigned char>(byte);
  if (length > maxSize) return Status::TooLarge;
  frame.resize(length);
  return readExactly(frame.data(), length, deadline);
}

FrameChannel::Status FrameChannel::readExactly(char* to, std::size_t length, Deadline deadline) {
  std::size_t done = 0;
  while (done < length) {
    if (const auto status = wait(POLLIN, deadline); status != Status::Ok) return status;
    const auto count = ::recv(fd_.get(), to + done, length - done, deadline ? MSG_DONTWAIT : 0);
    if (count < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (count <= 0) return Status::Closed;
    done += static_cast<std::size_t>(count);
  }
  return Status::Ok;
}

bool FrameChannel::disturbed() const {
  pollfd waiter{fd_.get(), POLLIN, 0};
  return ::poll(&waiter, 1, 0) != 0;
}

}  // namespace postern::policy
