#pragma once
#include "listd/expand/Intake.h"
#include "listd/expand/Troubles.h"
#include "listd/expand/WorkerLink.h"

#include <map>
#include <span>
#include <stop_token>
#include <thread>
#include <vector>

namespace postern::listd {

// The threads that take accepted messages over from the gateway; each takes all that waits, so that their syncs are
// shared. A message that cannot be taken stays with the gateway and is tried again later; the others go on.
class IntakeWorkers {
public:
  static constexpr unsigned Workers = 2;

  IntakeWorkers(SiteContext& context, const GatewayAddress& address, Intake& intake, Troubles& troubles);

private:
  using Held = std::map<std::uint64_t, TimePoint>;  // given to this connection and not finished: until when
  void run(std::stop_token stop);
  void takeAll(WorkerLink& link, Held& held);
  bool takeTogether(std::span<const app::AcceptedItem> items);
  bool takeOne(const app::AcceptedItem& item, Held& held);

  SiteContext& context_;
  const GatewayAddress& address_;
  Intake& intake_;
  Troubles& troubles_;
  std::vector<std::jthread> threads_;  // last: they use all of the above
};

}  // namespace postern::listd
