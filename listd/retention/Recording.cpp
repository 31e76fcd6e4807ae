#include "listd/retention/Recording.h"

#include "core/audit/LogEntry.h"
#include "core/base/Error.h"

namespace postern::listd {

void recordEvent(SiteTables& tables, const audit::Event& event, TimePoint now) {
  (void)now;  // the log asks the clock itself
  tables.audit.append(event);
}

std::optional<TimePoint> newestRecordAt(SiteTables& tables) {
  const auto size = tables.audit.size();
  if (size == 0) return std::nullopt;
  const auto bytes = tables.audit.file().entry(size - 1);
  const auto entry = bytes ? audit::parseEntry(*bytes) : std::nullopt;
  if (!entry) throw Error(ErrorKind::Store, "site.db: the newest entry of the audit log cannot be read");
  return entry->at();
}

}  // namespace postern::listd
