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

// What listd does because time passes; whatever was interrupted is done again. Tells the members of secure lists of
// keys that changed, once: a post of the list itself that the former key signed and, as every post, the new one. Then
// destroys the private halves of former keys whose time ended. Never to be called inside a job of SiteStore.
void tendListKeys(SiteContext& context);

}  // namespace postern::listd
