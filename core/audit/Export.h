#pragma once
#include "core/audit/LogEntry.h"
#include "core/audit/LogFile.h"

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace postern::audit {

// Part of the log as lines of JSON that a stranger can check with the public key alone: what stands before the part
// (the tree's peaks), the checkpoints of the part and the first one behind it with the proof that leads there, then the
// entries. docs/audit.md has the form; tools/audit-verify reads it. Rows go out as they are stored, damaged ones too.
// `withheld`: entries that the asker may not read; of these only the leaf is given, which proves that nothing changed.
void exportLog(const LogFile& log, std::uint64_t from, std::uint64_t to,
               const std::function<void(std::string_view line)>& write,
               const std::function<bool(const EntryView&)>& withheld = {});

}  // namespace postern::audit
