#pragma once
#include "core/base/Clock.h"
#include "listd/site/SiteStore.h"

#include <string_view>

namespace postern::listd {

// Looks again how the address stands on every list it is on, after its keys changed or time passed.
// To be called inside a job of SiteStore::write.
void refreshStanding(SiteTables& tables, std::string_view address, TimePoint now);

// Looks again at every address whose certificates began or ended to be valid since the last call.
void refreshTurned(SiteTables& tables, TimePoint now);

}  // namespace postern::listd
