#pragma once
#include "listd/retention/Assessment.h"
#include "listd/site/SiteContext.h"

#include <nlohmann/json.hpp>
#include <string>

namespace postern::listd {

struct OrderTools;

// What rules match and what becomes due by month, counted in one pass in the background and kept with its time, so that
// no page waits for a scan of the archive.

// A digest of the rules in force at a time: the version of the policy.
std::string policyVersion(SiteTables& tables, TimePoint at);
// Puts it into every entry of the audit log from now on.
void notePolicyVersion(SiteTables& tables, TimePoint now);

// One pass: {"asOf", "matched": {rule: n}, "months": {month: [due, reviews]}, "neverDue", "noRule", "held"}.
nlohmann::json countArchive(SiteContext& context, const ContentAnswers* answers, TimePoint now);
// Counts again when the rules changed, when another day began, and each hour. Called each minute, outside of a
// transaction.
void lookAfterCounts(OrderTools& tools, TimePoint now);

// "2031-01" of the months that countArchive counts by.
int monthOf(TimePoint time);
std::string monthText(int month);

}  // namespace postern::listd
