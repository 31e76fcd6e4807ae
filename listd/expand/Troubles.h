#pragma once
#include "core/base/Clock.h"
#include "core/base/Mutex.h"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace postern::listd {

// When to try again what failed: 5 s, doubling, up to 10 minutes.
std::chrono::seconds retryWait(std::uint32_t tries);

// Accepted messages that could not be taken over, until they are. Kept in memory: the gateway has the messages, and
// gives them again after a restart. Threads: safe for all.
class Troubles {
public:
  // The time of the next try.
  TimePoint failed(std::uint64_t acceptedId, const std::string& text, TimePoint now);
  void solved(std::uint64_t acceptedId);
  // When the message is to be tried again; zero: it never failed.
  TimePoint retryAt(std::uint64_t acceptedId) const;
  std::vector<std::string> texts(std::size_t limit) const;

private:
  struct Trouble {
    std::string text;
    std::uint32_t tries = 0;
    TimePoint retryAt;
  };
  mutable Mutex mutex_;
  std::map<std::uint64_t, Trouble> troubles_ GUARDED_BY(mutex_);
};

}  // namespace postern::listd
