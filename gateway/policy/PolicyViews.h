#pragma once
#include "core/policy/PolicySet.h"
#include "core/policy/Verdict.h"

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

// What the gateway tells listd of policies, as JSON. Texts are repaired to UTF-8.
namespace postern::gateway {

nlohmann::json viewOf(const policy::Verdict& verdict);  // {verdict policy reason code enh text redirectTo queue}
nlohmann::json viewOf(const policy::Failure& failure);  // {kind policy detail}
nlohmann::json viewOf(const policy::TestReport& report, const std::string& digest);

// One call of a hook: {hook recipients[] outcome[verdict] failure? steps[{policy micros verdicts[] notes[]}]}.
nlohmann::json viewOf(const char* hook, const std::vector<std::string>& recipients,
                      const policy::Explanation& explanation);

// The set of a request: {"files": {path: text}}. Problems are those of assembleSet().
Result<policy::SetTexts, std::vector<policy::Problem>> readFiles(const nlohmann::json& request);
nlohmann::json viewOf(const policy::SetTexts& texts);  // {digest files{}}

// A verdict in words, for telling differences apart: "reject secure-tag (secure_tag)", "pass". A reason that does not
// stand in the texts of the set is not shown: a policy could make it of the message.
std::string inWords(const policy::Verdict& verdict, const policy::SetTexts& texts);

}  // namespace postern::gateway
