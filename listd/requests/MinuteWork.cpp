#include "listd/requests/MinuteWork.h"

#include "core/base/Log.h"
#include "core/base/Periodic.h"
#include "listd/matters/MatterOrders.h"
#include "listd/pickup/PickupKeeper.h"
#include "listd/policy/PolicyCare.h"
#include "listd/quarantine/Quarantine.h"
#include "listd/retention/ArchiveCounts.h"
#include "listd/retention/Retention.h"
#include "listd/retention/RetentionRequests.h"
#include "listd/subscribe/MemberSources.h"
#include "listd/subscribe/Subscriptions.h"

namespace postern::listd {
namespace {

constexpr std::chrono::minutes Interval{1};

}  // namespace

MinuteWork::MinuteWork(OrderTools& tools)
    : tools_(tools), thread_([this](const std::stop_token& stop) { run(stop); }) {}

void MinuteWork::runOnce() {
  const auto now = tools_.now();
  tools_.context.requests.runDue(tools_, now);
  lookAfterHolds(tools_, now);
  askForStoppedRun(tools_);
  lookAfterCounts(tools_, now);
  if (tools_.retention != nullptr) tools_.retention->gate().cleanUp();
  lookAfterQuarantine(tools_);
  if (tools_.policies != nullptr) lookAfterPolicies(tools_.context, *tools_.policies);
  lookAfterSubscriptions(tools_.context);
  lookAfterSources(tools_);
  destroyEndedPickups(tools_.context);
  tools_.context.site.write([&](SiteTables& tables) { tables.recipients.sweep(now); });
}

void MinuteWork::run(const std::stop_token& stop) {
  repeatUntilStopped(stop, Interval, [this] {
    try {  // the boundary of a queue job: it is tried again in a minute
      runOnce();
    } catch (const std::exception& error) {
      log::error("minute", "requests and holds could not be looked after", {{"error", error.what()}});
    }
  });
}

}  // namespace postern::listd
