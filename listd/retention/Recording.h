#pragma once
#include "core/audit/Entry.h"
#include "listd/site/SiteStore.h"

#include <optional>

namespace postern::listd {

// The audit log as retention uses it: in the caller's transaction, which fails when the entry cannot be written.
void recordEvent(SiteTables& tables, const audit::Event& event, TimePoint now);
std::optional<TimePoint> newestRecordAt(SiteTables& tables);

}  // namespace postern::listd
