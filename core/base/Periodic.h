#pragma once
#include "core/base/Mutex.h"

#include <chrono>
#include <stop_token>

namespace postern {

// Does the work now, and again an interval after each time, until a stop is asked for, which also ends the waiting. For
// the body of a std::jthread. What the work throws ends the loop: the boundary is in the work.
template <class Work>
void repeatUntilStopped(const std::stop_token& stop, std::chrono::seconds interval, Work work) {
  Mutex mutex;
  Condition never;
  while (!stop.stop_requested()) {
    work();
    std::unique_lock<Mutex> lock(mutex);
    never.wait_for(lock, stop, interval, [] { return false; });
  }
}

}  // namespace postern
