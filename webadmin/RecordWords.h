#pragma once
#include "core/app/Roles.h"

#include <cstdint>
#include <string>
#include <string_view>

// The words of retention, holds, requests and audit in plain language. No HTML.
namespace postern::webadmin::words {

// "Compliance officer, auditor"
std::string roles(app::Roles roles);
std::string tier(std::string_view word);         // "floor" -> "Floor"
std::string effect(std::string_view word);       // "both" -> "Keeps, then destroys"
std::string action(std::string_view word);       // "purge" -> "Destroy content and row"
std::string requestKind(std::string_view word);  // "rule.propose" -> "Change of a retention rule"
std::string matterAct(std::string_view word);    // "hold.place" -> "Hold placed", in the log of a matter
std::string keptReason(std::string_view word);   // why a run kept a candidate
std::string clockState(std::string_view word);
std::string field(std::string_view word);         // a field of a rule or hold, for the table of differences
std::string recordState(std::string_view word);   // of a request, hold, matter, export, run, custodian
std::string recordTone(std::string_view word);    // the look of that state's badge
std::string recordNotice(std::string_view code);  // what `?done=` says; the code itself when unknown
std::string plural(std::uint64_t count, std::string_view one, std::string_view many);  // "1 hold", "2,100 holds"

}  // namespace postern::webadmin::words
