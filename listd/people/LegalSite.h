#pragma once
#include "listd/orders/OrderTools.h"

#include <chrono>
#include <string>

namespace postern::listd {

// Refuses the change at hand when it leaves two people or more who may sign in as staff, and one of them has roles that
// exclude each other. A site with one person may have them all in one hand; a second person demands a legal split
// first. To be called at the end of every change of accounts, in its transaction.
void requireLegalSite(SiteTables& tables);

// Refuses to add a second person while the one there is has roles that exclude each other.
void requireSplit(SiteTables& tables);

// How many people run the site: enabled, with a role of staff, emergency accounts aside.
std::size_t staffCount(SiteTables& tables);

// A one-time link that sets an account up.
Invitation newInvitation(const OrderTools& tools, const std::string& token, std::string kind, std::string account,
                         std::string madeBy, std::chrono::hours lasts);
nlohmann::json invitationView(const OrderTools& tools, const std::string& token, const Invitation& invitation);

}  // namespace postern::listd
