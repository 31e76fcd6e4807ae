#pragma once
#include "core/base/Clock.h"
#include "listd/site/SiteStore.h"

#include <cstdint>
#include <string_view>

namespace postern::listd {

// How members stand is kept beside them, so that pages about 100,000 count nothing. These look again after something
// that decides has changed; each is to be called inside the job of SiteStore::write that changed it.

// The keys of the address changed, or time passed.
void refreshStanding(SiteTables& tables, std::string_view address, TimePoint now);

// What is known of the TLS of a domain changed, or what the site says of it.
void refreshDomain(SiteTables& tables, std::string_view domain, TimePoint now);

// Notes what was found out about a domain (DomainTlsStore::note) and, only when that changes what counts, refreshes its
// members: another reply of a server that proves nothing still proves nothing, however many members there are.
void noteDomain(SiteTables& tables, const app::DomainTls& found, TimePoint now);

// The rules of a list changed: one scan of its members; only those who stand otherwise are written. How many.
std::uint64_t refreshList(SiteTables& tables, const List& list, TimePoint now);

// Looks again at every address whose certificates began or ended to be valid since the last call.
void refreshTurned(SiteTables& tables, TimePoint now);

}  // namespace postern::listd
