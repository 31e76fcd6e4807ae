#pragma once
#include "listd/compose/Bounce.h"
#include "listd/site/SiteStore.h"

#include <cstdint>

namespace postern::listd {

// Notes a bounce in the ledger of the copy that its tag proved. Only a failure counts; a copy counts once, so that a
// tag that is sent again and again changes nothing. To be called inside a job of SiteStore::write.
void recordBounce(SiteTables& tables, std::uint64_t listId, std::uint64_t copyKey, const Bounce& bounce, TimePoint now);

}  // namespace postern::listd
