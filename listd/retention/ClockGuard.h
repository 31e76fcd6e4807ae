#pragma once
#include "listd/site/SiteContext.h"

#include <optional>
#include <string>

namespace postern::listd {

// Nothing is destroyed by a clock that may be wrong: one that jumped with no heartbeat between, went back, or is behind
// the newest entry of the audit log. Once distrusted it stays so until two people have said that it is right
// (retention.trust-clock), for a wrong clock that is put right looks like a second jump.
constexpr std::chrono::hours LongestSilence{24};  // between two heartbeats
constexpr std::chrono::seconds ClockTolerance{2};

// Each minute, in a transaction. Gives the reason when the clock is (or has become) distrusted.
std::optional<std::string> heartbeat(SiteTables& tables, TimePoint now);
// Why nothing may be destroyed now; nothing: the clock is trusted. Changes nothing.
std::optional<std::string> clockTrouble(SiteTables& tables, TimePoint now);

// The clock, or a register that cannot tell all that must be kept: while there is one, nothing is destroyed.
struct DestructionTrouble {
  std::string kept;   // reason of DestructionGate::Verdict: "clock" "register"
  std::string words;  // for people
};
std::optional<DestructionTrouble> destructionTrouble(const SiteContext& context, SiteTables& tables, TimePoint now);

}  // namespace postern::listd
