#pragma once
#include "listd/site/SiteStore.h"

#include <string>

namespace postern::listd {

// Slows guessing of passwords and codes, per account and per client. After some failures each further one blocks for
// longer, up to five minutes: long enough to make guessing hopeless, short enough that nobody is locked out by others.
// Failures are forgotten after an hour without one. To be called inside a job of SiteStore::write.

// `account` is empty for what needs no name. Counts an attempt before it is judged. False: blocked now, and nothing is
// counted.
bool chargeSignIn(SiteTables& tables, const std::string& account, const std::string& client, TimePoint now);
// Takes back one counted attempt that was right as far as it went: the second factor is counted by itself.
void refundSignIn(SiteTables& tables, const std::string& account, const std::string& client, TimePoint now);
// The same for access tokens that are none, by client alone.
bool tokensAreBlocked(SiteTables& tables, const std::string& client, TimePoint now);
void chargeToken(SiteTables& tables, const std::string& client, TimePoint now);
void forgiveSignIn(SiteTables& tables, const std::string& account, const std::string& client, TimePoint now);
// The person signed in from there: for a month, failures of others do not count against this client.
void rememberClient(SiteTables& tables, const std::string& account, const std::string& client, TimePoint now);

}  // namespace postern::listd
