#pragma once
#include "core/policy/PolicySet.h"
#include "core/policy/worker/PolicyRunner.h"

#include <cstdint>

namespace postern::policy::worker {

// Runs one case of one policy: its facts are built from the case's tables, asked through the very same code as live
// mail in a sandbox of its own, and the answer is held against `expect`.
CaseResult runCase(const PolicyRunner& runner, std::uint32_t policy, std::uint32_t number);

}  // namespace postern::policy::worker
