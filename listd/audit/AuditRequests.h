#pragma once
#include "listd/audit/AuditLog.h"
#include "listd/requests/Requests.h"

#include <optional>
#include <string>
#include <vector>

namespace postern::listd {

class SiteContext;
struct SiteTables;

// Requests of kind "log.restore": a restore put the log back, and two people say so in it.
void addAuditRequests(Requests& requests);

// What a restore lost of the log, by checkpoints that were kept elsewhere and that this log's key signed: where it is
// still proven and how far it is known to have gone. Nothing: the log has all that they tell. Reason and people are
// left to the caller.
std::optional<DeclaredRollback> lossBy(const SiteContext& context, SiteTables& tables,
                                       const std::vector<std::string>& checkpoints);

}  // namespace postern::listd
