#pragma once
#include "core/app/GatewayLink.h"
#include "listd/site/SiteStore.h"

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

namespace postern::listd {

// Writes a batch of the gateway's events into the ledger: attempts, states, counts, flow; and closes the posts whose
// copies are all final. To be called inside a job of SiteStore::write. An event that comes again changes nothing in
// the ledger. True when a post has mail to send: a report, or a copy
// that was planned anew.
bool recordEvents(SiteTables& tables, const std::vector<app::GatewayEvent>& events);

}  // namespace postern::listd
