#pragma once
#include "core/app/GatewayLink.h"
#include "listd/site/SiteStore.h"

#include <nlohmann/json.hpp>
#include <optional>
#include <span>

namespace postern::listd {

// How the things of the site look in the answers of orders (docs/orders.md).
nlohmann::json viewOf(const Domain& domain);
nlohmann::json viewOf(const app::Route& route);
nlohmann::json viewOf(const List& list, std::span<const MemberCount> counts);
// `decision`: how the member stands.
nlohmann::json viewOf(const Member& member, std::span<const KeyFacts> keys, const Decision& decision);
nlohmann::json viewOf(const ListProtection& protection);
nlohmann::json viewOf(const DomainProtection& protection);
nlohmann::json viewOf(const LadderRules& rules);
nlohmann::json viewOf(const MemberKey& key, TimePoint now);
std::string standingOf(const KeyFacts& key,
                       TimePoint now);  // "proposed" "confirmed" "expiring" "expired" "revoked" "weak"
nlohmann::json viewOf(const Account& account);
nlohmann::json viewOf(const Flow& flow);
nlohmann::json viewOf(const app::TlsFacts& tls);
nlohmann::json viewOf(const Attempt& attempt);
nlohmann::json countsOf(const Post& post);                    // recipients delivered deferred failed withheld
std::string stateOf(const Post& post);                        // "rejected" "ignored" "stuck" "sending" "sent" "done"
std::string stateOf(const LedgerRow& row, const Post& post);  // as the ledger's words; "queued" once the gateway has it

// {"items": […], "next": cursor or ""}
nlohmann::json pageOf(nlohmann::json items, std::string next);

}  // namespace postern::listd
