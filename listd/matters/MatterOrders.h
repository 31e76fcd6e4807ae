#pragma once
#include "listd/matters/HoldStore.h"
#include "listd/orders/OrderDesk.h"

#include <nlohmann/json.hpp>
#include <span>

namespace postern::listd {

// Orders on matters, custodians, holds and notices; on erasure and the deletion of lists.
std::span<const OrderRow> matterOrders();
std::span<const OrderRow> holdOrders();
std::span<const OrderRow> erasureOrders();

// Whether this person may know of silent holds.
inline bool seesSilent(const OrderCall& call) {
  return call.actor.roles.has(app::Role::Officer);
}

Matter requireMatter(SiteTables& tables, const OrderCall& call, std::string_view argument = "id");
// Puts the hold in force, in the caller's transaction and in the journal; gives it its id.
void place(OrderTools& tools, SiteTables& tables, const OrderCall& call, const Matter& matter, HoldRow& row);
nlohmann::json viewOf(const HoldRow& row, const std::string& matterName, TimePoint now);
void noteAct(SiteTables& tables, const OrderCall& call, TimePoint now, std::uint64_t matterId, std::string words,
             std::uint64_t holdId = 0);

// Tells the custodian of every open hold of the matter that is not silent; those told already are left alone.
void tellCustodian(OrderTools& tools, SiteTables& tables, std::uint64_t matterId, const std::string& address);
// Weekly mail to custodians who have not acknowledged, and counts of holds for people. Called each minute, outside of a
// transaction.
void lookAfterHolds(OrderTools& tools, TimePoint now);

}  // namespace postern::listd
