#pragma once
#include "core/audit/LogEntry.h"
#include "listd/site/SiteStore.h"

#include <string>

namespace postern::listd {

// An entry in one sentence for people: "alice (admin) closed list board@lists.example.".
// Persons whose key was erased are "an erased person".
std::string sentenceOf(SiteTables& tables, const audit::EntryView& entry);

// The person behind a pseudonym, as far as the site may still tell.
std::string personOf(SiteTables& tables, std::string_view pseudonym);

}  // namespace postern::listd
