#pragma once
#include "core/records/Hold.h"
#include "listd/site/SiteStore.h"

#include <vector>

namespace postern::listd {

// Holds that keep anything at `at`: placed by then and not over, those in their grace among them. A hold that cannot be
// read throws Error(Store), so that nothing is destroyed past it.
std::vector<records::Hold> holdsInForce(SiteTables& tables, TimePoint at);

}  // namespace postern::listd
