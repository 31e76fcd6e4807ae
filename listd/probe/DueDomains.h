#pragma once
#include "core/base/Clock.h"
#include "listd/site/SiteStore.h"

#include <cstddef>
#include <string>
#include <vector>

namespace postern::listd {

// Domains whose TLS decides how members are reached and was last asked for before `before`, the longest unasked first:
// those of members of secure lists to whom nothing is sealed and to whom list or wish allow a copy by verified TLS; and
// those of people elsewhere to whom domain mail went of late, where its list allows that.
std::vector<std::string> dueDomains(const SiteTables& tables, TimePoint before, std::size_t limit);

}  // namespace postern::listd
