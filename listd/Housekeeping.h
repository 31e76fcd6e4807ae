#pragma once
#include "listd/site/SiteContext.h"

#include <chrono>
#include <stop_token>
#include <thread>

namespace postern::listd {

// What has to be looked at because time passes: certificates that began or ended to be valid, old failed sign-ins.
// Runs once in the constructor, so that what passed while listd was down is caught up, then each minute.
class Housekeeping {
public:
  explicit Housekeeping(SiteContext& context);

  void runOnce();

private:
  void run(const std::stop_token& stop);
  void sweepKeys();

  SiteContext& context_;
  std::chrono::steady_clock::time_point lastSweep_;  // of private keys that no list names; at once, then each hour
  std::jthread thread_;                              // last: it uses all of the above
};

}  // namespace postern::listd
