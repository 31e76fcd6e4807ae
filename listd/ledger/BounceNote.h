#pragma once
#include "listd/compose/Bounce.h"
#include "listd/site/SiteStore.h"

#include <cstdint>

namespace postern::listd {

// Notes a bounce in the ledger of the copy that its tag proved, and on record whether it says something of the mailbox,
// so that it may count against the member, or only of this message. Only a failure counts; a copy counts once, so that
// a tag that is sent again and again changes nothing. The author of domain mail gets a report, which is true when there
// is mail to send. To be called inside a job of SiteStore::write.
bool recordBounce(SiteTables& tables, std::uint64_t listId, std::uint64_t copyKey, const Bounce& bounce, TimePoint now);

}  // namespace postern::listd
