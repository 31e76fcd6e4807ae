#pragma once
#include "listd/expand/SubmitGate.h"
#include "listd/expand/WorkerLink.h"
#include "listd/jobs/JobRunner.h"

#include <span>

namespace postern::listd {

struct OrderRow;

constexpr std::string_view PrepareBackup = "backup.prepare";

// "backup.prepare": puts what a backup holds beside the vault into files that stay as they are: the gateway's queue and
// site.db as of one moment, between which nothing is lost and nothing is done twice, and after them a sealed backup of
// the keys. It fails when an object of that moment has no key that opens, so that no backup is finished that cannot be
// read. The vault itself only grows and is copied as it is afterwards. Killed, it starts over. Result: {site, queue,
// keys, objects, at}, the first three are paths in the data folder.
void addBackupJobs(JobRunner& jobs, SiteContext& context, SubmitGate& gate, const GatewayAddress& address);

nlohmann::json prepareBackup(JobContext& job, SiteContext& context, SubmitGate& gate,
                             const std::function<void()>& copyQueue);

std::span<const OrderRow> backupOrders();  // backup.*: docs/orders.md

}  // namespace postern::listd
