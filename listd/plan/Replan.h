#pragma once
#include "core/base/Clock.h"
#include "listd/plan/Decision.h"
#include "listd/site/SiteStore.h"

namespace postern::listd {

// A copy that was planned for verified TLS and could not have it in time may be planned anew. To be called inside a job
// of SiteStore; planAnew() inside a write.

// How long copies of the post wait for verified TLS.
std::chrono::minutes tlsWithin(const SiteTables& tables, const Post& post);

// What the recipient of the row would get now without TLS; withheld when nothing, or when the recipient left the list.
Decision decideWithoutTls(const SiteTables& tables, const LedgerRow& row, TimePoint now);

// Adds a row for the same recipient in place of one that the gateway has dropped, and plans the post for sending again.
// The trail is kept: the old row stays as dropped. False when nothing may be sent instead; nothing is written then.
bool planAnew(SiteTables& tables, const LedgerRow& dropped, TimePoint now);

}  // namespace postern::listd
