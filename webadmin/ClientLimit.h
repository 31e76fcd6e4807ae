#pragma once
#include "core/base/Clock.h"
#include "core/base/Mutex.h"

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <unordered_map>

namespace postern::webadmin {

// Counts attempts per client address in a fixed window: sign-in and set-up, beside the throttling that listd does per
// account. An IPv6 client counts by its /64. At most `MaxClients` are remembered; when more come, the windows that
// have passed are forgotten, and if none has, newcomers are refused: fail closed.
// Threads: safe for all.
class ClientLimit {
public:
  static constexpr std::size_t MaxClients = 20000;

  ClientLimit(const Clock& clock, unsigned attempts, std::chrono::seconds window)
      : clock_(clock), attempts_(attempts), window_(window) {}

  // Counts one attempt; false when there were too many.
  bool allow(std::string_view clientAddress);
  // The client has shown who it is: its count starts anew.
  void forgive(std::string_view clientAddress);

private:
  struct Window {
    TimePoint start;
    unsigned count = 0;
  };
  void forgetPassed(TimePoint now) REQUIRES_LOCK(mutex_);

  const Clock& clock_;
  const unsigned attempts_;
  const std::chrono::seconds window_;
  Mutex mutex_;
  std::unordered_map<std::string, Window> windows_ GUARDED_BY(mutex_);
};

// "192.0.2.1" as it is, "2001:db8:1:2:3::4" as "2001:db8:1:2::/64".
std::string clientNetwork(std::string_view clientAddress);

}  // namespace postern::webadmin
