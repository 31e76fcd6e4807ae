#pragma once
#include "listd/site/SiteContext.h"

#include <cstdint>
#include <vector>

namespace postern::listd {

// Whether a matter has a silent hold in force: then nobody outside of it is told of what is read for it.
bool isSecretMatter(SiteTables& tables, std::uint64_t matterId);

// Mails the owners of the lists that staff read their mail, at most once a day each, with a link to where they see who
// and when. In the caller's transaction: what cannot be told is not shown.
void tellOwners(const SiteContext& context, SiteTables& tables, const std::vector<std::uint64_t>& lists,
                std::uint64_t matterId, TimePoint now);

}  // namespace postern::listd
