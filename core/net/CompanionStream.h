#pragma once
#include "core/base/CompanionAddress.h"
#include "core/base/Files.h"

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>

namespace postern::net {

// A connection to a companion program on this machine, all of it under one deadline: a companion that hangs costs its
// message a deferral and nobody else anything. Ownership: has the descriptor. Threads: one.
// Errors: Error(Unavailable) naming the companion when it cannot be reached, goes away or is late.
class CompanionStream {
public:
  CompanionStream(const CompanionAddress& address, std::chrono::milliseconds timeLimit, std::string name);

  void send(std::string_view bytes);
  std::string receiveSome(std::size_t most);      // empty: the companion has closed
  std::string receiveExactly(std::size_t count);  // a close before that is an error

private:
  void waitFor(short events);
  [[noreturn]] void fail(const std::string& what) const;

  std::string name_;
  std::chrono::steady_clock::time_point deadline_;
  FileDescriptor fd_;
};

}  // namespace postern::net
