#pragma once
#include "core/base/Clock.h"

#include <chrono>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>

namespace postern::gateway {

// The network that tries of a client count against: a /24 of IPv4, a /64 of IPv6.
std::string networkOf(std::string_view address);

// Slows guessing of passwords, in memory. A network gets five wrong tries, then waits longer after each, up to a
// quarter of an hour. An account, whoever tries, gets twenty, then at most a minute each; that wait is for strangers
// only: a network from which the person has signed in does not feel it, so nobody can lock a person out. Failures are
// forgotten after an hour. Bounded: past MaxEntries the oldest go. Threads: one at a time. Errors: none.
class GuessLimits {
public:
  static constexpr std::size_t MaxEntries = 20'000;

  // How long this try has to wait; zero: it may be judged now.
  std::chrono::seconds waitFor(std::string_view network, std::string_view name, TimePoint now) const;
  void failed(std::string_view network, std::string_view name, TimePoint now);
  void succeeded(std::string_view network, std::string_view name, TimePoint now);

private:
  struct Guesses {
    std::uint32_t failures = 0;
    TimePoint lastAt;
    TimePoint blockedUntil;
  };
  using Table = std::map<std::string, Guesses, std::less<>>;

  static void count(Table& table, std::string_view key, std::uint32_t free, std::chrono::seconds longest,
                    TimePoint now);
  static void makeRoom(Table& table);

  Table networks_;
  Table accounts_;
  std::map<std::string, TimePoint, std::less<>> known_;  // account and network that signed in, and when
};

}  // namespace postern::gateway
