#pragma once
#include "listd/matters/HoldStore.h"
#include "listd/matters/MatterStore.h"

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace postern::listd {

struct SiteTables;

// Holds as the journal of the site keeps them, outside of every backup, so that a restored old site.db has every hold
// again. A placed hold is journalled before its row is committed (a crash between can only leave a hold too many), a
// release after it (a crash between can only leave a hold too long).
namespace holdregister {

std::string placed(const HoldRow& row, const Matter& matter);
std::string released(const HoldRow& row);

// Applies one record to the tables, in the order of the journal; what they know already is left alone. True when
// something was put back. Throws Error(Malformed) for a record that this binary cannot read: a site whose holds are not
// known must not destroy anything.
bool replayPlaced(SiteTables& tables, std::string_view payload);
bool replayReleased(SiteTables& tables, std::string_view payload);

// By what a hold is known, as its number may be given again: of a record that placed() made.
std::string identityOf(std::string_view payload);

}  // namespace holdregister
}  // namespace postern::listd
