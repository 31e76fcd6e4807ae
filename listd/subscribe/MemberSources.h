#pragma once
#include "listd/jobs/JobRunner.h"
#include "listd/orders/OrderDesk.h"
#include "listd/subscribe/MemberSourceStore.h"

#include <span>
#include <string>
#include <string_view>

// Lists whose members come from a directory. Who takes themselves off such a list is not brought back, and who joined
// in another way is never taken off.
namespace postern::listd {

constexpr std::string_view SyncJob = "members.sync";

std::span<const OrderRow> memberSourceOrders();  // source.set source.show source.remove source.run

// Each minute: starts a job for each list whose members are due. And what the job does.
void lookAfterSources(OrderTools& tools);
JobRunner::Work syncWork(OrderTools& tools);

}  // namespace postern::listd
