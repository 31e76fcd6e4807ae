#include "listd/expand/IntakeWorkers.h"

#include "core/base/Error.h"
#include "core/base/Log.h"
#include "listd/expand/ListPolicies.h"

#include <algorithm>

namespace postern::listd {
namespace {

constexpr std::uint32_t AtOnce = 64;  // the gateway also limits their bytes
constexpr std::chrono::milliseconds WaitForMail{1000};

}  // namespace

IntakeWorkers::IntakeWorkers(SiteContext& context, const GatewayAddress& address, Intake& intake, Troubles& troubles)
    : context_(context), address_(address), intake_(intake), troubles_(troubles) {
  for (unsigned i = 0; i < Workers; ++i) threads_.emplace_back([this](std::stop_token stop) { run(std::move(stop)); });
}

void IntakeWorkers::run(std::stop_token stop) {
  WorkerLink link(address_, stop);
  Held held;
  while (!stop.stop_requested()) {
    try {
      takeAll(link, held);
    } catch (const Error& error) {
      if (stop.stop_requested()) return;
      log::warning("intake", "the connection to the gateway ended", {{"error", error.message()}});
      link.drop();
      held.clear();
      link.pause(std::chrono::milliseconds(20));
    }
  }
}

void IntakeWorkers::takeAll(WorkerLink& link, Held& held) {
  const auto now = context_.clock.now();
  const bool retryDue = std::any_of(held.begin(), held.end(), [&](const auto& item) { return item.second <= now; });
  if (retryDue) {
    // The gateway gives a message again on a new connection only.
    link.drop();
    held.clear();
  }
  auto items = link.get().takeAccepted(AtOnce, WaitForMail);
  if (context_.listPolicies != nullptr) context_.listPolicies->setActive(link.get().activeHooks());
  std::erase_if(items, [&](const app::AcceptedItem& item) {
    const auto retryAt = troubles_.retryAt(item.id);
    if (retryAt > now) held[item.id] = retryAt;
    return retryAt > now;
  });
  if (items.empty()) return;
  std::vector<std::uint64_t> done;
  if (items.size() > 1 && takeTogether(items)) {
    for (const auto& item : items) done.push_back(item.id);
  } else {
    for (const auto& item : items)
      if (takeOne(item, held)) done.push_back(item.id);
  }
  if (!done.empty()) link.get().finish(done);
}

bool IntakeWorkers::takeTogether(std::span<const app::AcceptedItem> items) {
  try {
    intake_.take(items);
  } catch (const std::exception&) {  // whatever it is, taking them one by one shows whose trouble it is
    return false;
  }
  for (const auto& item : items) troubles_.solved(item.id);
  return true;
}

bool IntakeWorkers::takeOne(const app::AcceptedItem& item, Held& held) {
  try {
    intake_.take({&item, 1});
  } catch (const std::exception& error) {  // the boundary of a queue job: one message never stops the others
    log::error("intake", "an accepted message cannot be taken over; it stays with the gateway and is tried again",
               {{"accepted", item.id}, {"error", error.what()}});
    held[item.id] = troubles_.failed(item.id, error.what(), context_.clock.now());
    return false;
  }
  troubles_.solved(item.id);
  return true;
}

}  // namespace postern::listd
