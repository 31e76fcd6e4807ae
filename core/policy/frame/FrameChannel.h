#pragma once
#include "core/base/Files.h"

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace postern::policy {

// The socket pair between the policy host and one worker: frames of a 32-bit big-endian length, then bytes.
// Unlike net::LocalSocket every byte counts against the deadline, since the other end may be in the hands of a hostile
// script; and it needs nothing but base, since the worker links no network code.
// Threads: one.
class FrameChannel {
public:
  using Deadline = std::optional<std::chrono::steady_clock::time_point>;  // nothing: wait for ever
  enum class Status { Ok, Timeout, Closed, TooLarge };

  static constexpr std::size_t MaxRequest = 32u << 20;
  static constexpr std::size_t MaxReply = 4u << 20;

  explicit FrameChannel(FileDescriptor fd) : fd_(std::move(fd)) {}

  [[nodiscard]] Status send(std::string_view frame, Deadline deadline);
  [[nodiscard]] Status receive(std::string& frame, std::size_t maxSize, Deadline deadline);

  // The other end is gone, or sent something that nobody asked for.
  bool disturbed() const;

  int descriptor() const { return fd_.get(); }

private:
  Status wait(short events, Deadline deadline) const;
  Status readExactly(char* to, std::size_t length, Deadline deadline);
  FileDescriptor fd_;
};

}  // namespace postern::policy
