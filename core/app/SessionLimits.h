#pragma once
#include <chrono>

namespace postern::app {

// How long somebody of the staff stays signed in to the web UI (docs/roles.md). Not a setting: evidence for auditors
// states these numbers.
constexpr std::chrono::seconds SessionIdleLimit{15 * 60};  // without an act of the person
constexpr std::chrono::seconds SessionAbsoluteLimit{12 * 3600};

}  // namespace postern::app
