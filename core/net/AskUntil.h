#pragma once
#include <chrono>

namespace postern::net {

// While it lives, no question to the DNS of this thread waits longer than until this moment, whatever the resolver's
// own deadline.
class AskUntil {
public:
  explicit AskUntil(std::chrono::steady_clock::time_point until);
  ~AskUntil();
  AskUntil(const AskUntil&) = delete;
  AskUntil& operator=(const AskUntil&) = delete;

private:
  const std::chrono::steady_clock::time_point before_;
};

}  // namespace postern::net
