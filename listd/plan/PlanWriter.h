#pragma once
#include "core/base/Clock.h"
#include "listd/plan/PostingRule.h"
#include "listd/site/SiteStore.h"

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace postern::listd {

// The least protection that policies ask for each member, by address; None: what the list says.
using MemberFloors = std::map<std::string, app::Protection, std::less<>>;

// The reason of the row that mails a plan's counts to the author.
constexpr std::string_view PlanReport = "plan";

// Writes the fan-out plan of an accepted message for one list: the post, a ledger row for each enabled member with the
// protection and the reason, or why withheld, and the notices and the report that it causes. Nothing is sent before
// this is committed, and all that is sent later follows these rows. To be called inside a job of SiteStore::write.
// `post` comes with all but id, verdict, reason, state and counts. Memory: one row at a time, and the withheld.
// Of domain mail the `recipients` take the place of the members; what is withheld of it the author learns alone.
// `memberFloors` only ever strengthen; where there are any, they must be for all members: Error(Unavailable) for one
// who joined after they were asked for.
// Returns the post's id; nothing when the message is already planned for this list (a repeat after a crash).
std::optional<std::uint64_t> writePlan(SiteTables& tables, Post post, const List& list, const PostingRuling& ruling,
                                       TimePoint now, std::span<const std::string> recipients = {},
                                       const MemberFloors* memberFloors = nullptr);

}  // namespace postern::listd
