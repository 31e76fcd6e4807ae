#pragma once
#include "core/audit/LogFile.h"

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace postern::audit {

// Part of the log as lines of JSON that a stranger can check with the public key alone: what stands before the part
// (the tree's peaks), the entries, the checkpoints among them and the first one behind them with the proof that leads
// there. docs/audit.md has the form; tools/audit-verify reads it. Rows go out as they are stored, damaged ones too.
void exportLog(const LogFile& log, std::uint64_t from, std::uint64_t to,
               const std::function<void(std::string_view line)>& write);

}  // namespace postern::audit
