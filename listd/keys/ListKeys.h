#pragma once
#include "core/crypto/SigningIdentity.h"
#include "core/pgp/SecretKey.h"
#include "listd/site/SiteContext.h"

#include <cstdint>
#include <string>
#include <vector>

namespace postern::listd {

constexpr std::chrono::days ListKeyLifetime{3 * 365};
constexpr std::chrono::days ListKeyOverlap{30};  // how long a former key opens mail, if nothing else is said
constexpr std::size_t MaxKeyRequests = 5;        // of one list that wait for a CA

// Keys that open mail to the list beside the one in use, newest first: their time has not ended. Never to be called
// inside a job of SiteStore.
std::vector<crypto::SigningIdentity> formerIdentities(SiteContext& context, const List& list);
std::vector<pgp::SecretKey> formerOpenPgpKeys(SiteContext& context, const List& list);

// A name under which keys.db has no key of the list. A private key is stored under such a name first and named by the
// list in one commit later; a crash between leaves a key that nothing names.
std::string newKeyName(std::string_view kind);

// Puts the key in use among the former ones, in the caller's transaction, which also puts another in its place.
void retireSmime(SiteTables& tables, const List& list, TimePoint now, TimePoint opensUntil);
void retireOpenPgp(SiteTables& tables, const List& list, TimePoint now, TimePoint opensUntil);

// Destroys private keys that no list has named for 30 days of running: what a crash between keys.db and site.db left.
// How many. A site.db that was put back from an older copy names fewer keys than keys.db has; whoever did it has that
// long to notice. `sinceLast` is how long ago this was called before, by a clock that nobody sets; zero at first. The
// days are counted by it and kept in keys.db, so that neither a clock that jumps nor a note in an old site.db ends them
// early, and they start anew for a key that is named once. Each key is stored in the commit that names it and on the
// same thread as this. Never to be called inside a job of SiteStore.
constexpr std::chrono::hours MostBetweenSweeps{2};  // counts of a longer time: nobody looked in between
std::size_t sweepListKeys(SiteContext& context, std::chrono::seconds sinceLast);

// What listd does because time passes; whatever was interrupted is done again. Tells the members of secure lists of
// keys that changed, once: a post of the list itself that the former key signed and, as every post, the new one; a
// former key that ended before it could sign is told of in other words. Then destroys the private halves of former keys
// whose time ended. Never to be called inside a job of SiteStore.
void tendListKeys(SiteContext& context);

}  // namespace postern::listd
