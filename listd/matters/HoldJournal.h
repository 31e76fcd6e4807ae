#pragma once
#include "listd/matters/HoldStore.h"
#include "listd/matters/MatterStore.h"
#include "listd/retention/ContentAnswers.h"
#include "listd/site/SiteContext.h"

#include <string_view>

namespace postern::listd {

struct OrderTools;

// Into the journal of the site, durable on return. See HoldRegister for when.
void journalPlaced(SiteContext& context, const HoldRow& row, const Matter& matter);
// Every release that the journal does not have yet, and every hold: after a crash between commit and journal.
void journalReleases(SiteContext& context);
// At start, before anything may be destroyed or any order is taken: every hold of the journal is in site.db again, and
// the other way round. How many were put back. A record that cannot be read makes the journal distrusted, so that
// nothing is destroyed.
std::size_t replayHolds(SiteContext& context);

// What answers content conditions; null: nothing does.
const ContentAnswers* contentAnswers(const OrderTools& tools);

// Purpose of the tokens in notices to custodians.
constexpr std::string_view NoticePurpose = "hold notice";

}  // namespace postern::listd
