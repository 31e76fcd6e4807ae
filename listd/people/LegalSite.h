#pragma once
#include "listd/orders/OrderTools.h"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace postern::listd {

// Refuses the change at hand when it leaves two people or more who may sign in as staff, and one of them has roles that
// exclude each other. A site with one person may have them all in one hand; a second person demands a legal split
// first. To be called at the end of every change of accounts, in its transaction.
void requireLegalSite(SiteTables& tables);

// Refuses to add a second person while the one there is has roles that exclude each other.
void requireSplit(SiteTables& tables);

// Whether what needs a second person waits for one. So with two who run the site, and with one as long as the rules of
// two people are held: a person shut out or demoted loses access at once, but the one who stays decides nothing alone
// before the request "account.one-person" has had its seven days.
bool twoPersonRules(SiteTables& tables);

// The request whose time ends the holding of those rules; NotAsked: nobody could be told outside yet. None: not held.
inline constexpr std::uint64_t NotAsked = ~std::uint64_t{0} >> 1U;
std::optional<std::uint64_t> heldUntilRequest(SiteTables& tables);
void holdTwoPersonRules(SiteTables& tables, std::uint64_t request);
// Ends the holding if this request is the newest for it: one made for an earlier leaving ends nothing.
void endTwoPersonRules(SiteTables& tables, std::uint64_t request);

// How many people run the site: enabled, with a role of staff, emergency accounts aside.
std::size_t staffCount(SiteTables& tables);

// A one-time link that sets an account up.
Invitation newInvitation(const OrderTools& tools, const std::string& token, std::string kind, std::string account,
                         std::string madeBy, std::chrono::hours lasts);
nlohmann::json invitationView(const OrderTools& tools, const std::string& token, const Invitation& invitation);

}  // namespace postern::listd
