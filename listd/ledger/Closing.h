#pragma once
#include "listd/site/SiteStore.h"

#include <cstdint>

namespace postern::listd {

// Looks whether every copy of a post that was handed over has its final outcome. If so the post is done; when copies
// failed or were withheld, one content-free report to the author is added to the ledger first and the post is planned
// again, for that report alone. Never for mail that no person wrote or that has no envelope sender. What became final
// is noted for the webhooks of the author.
// To be called inside a job of SiteStore::write. True when there is mail to send again.
bool closeIfDone(SiteTables& tables, std::uint64_t postId);

}  // namespace postern::listd
