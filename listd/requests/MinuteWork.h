#pragma once
#include "listd/orders/OrderTools.h"

#include <stop_token>
#include <thread>

namespace postern::listd {

// What has to be done with requests, holds and notices because time passes, each minute.
class MinuteWork {
public:
  explicit MinuteWork(OrderTools& tools);

  void runOnce();

private:
  void run(const std::stop_token& stop);

  OrderTools& tools_;
  std::jthread thread_;  // last: it uses all of the above
};

}  // namespace postern::listd
