#pragma once
#include "webadmin/Visit.h"

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace postern::webadmin::pages {

// PolicyPage.cpp: what is in force, its cases, the shadow, and every set that was.
Response policies(Visit& visit);
Response policyRevision(Visit& visit);
Response actOnPolicyRevision(Visit& visit);
Response stopPolicyShadow(Visit& visit);

// PolicyEditPage.cpp: the editor, and how a message would be judged.
Response editPolicies(Visit& visit);
Response savePolicies(Visit& visit);
Response tryPolicies(Visit& visit);
Response askPolicies(Visit& visit);

// PolicySetsPage.cpp: the values that policies ask.
Response policySets(Visit& visit);
Response policySet(Visit& visit);
Response changePolicySet(Visit& visit);

// What a test of policies said, for part-policy-report: {ok problems[] warnings[] cases[] count failed}.
nlohmann::json policyReportView(const nlohmann::json& report, const nlohmann::json& files);

// PolicyCoverage.cpp: a file with its lines numbered and marked by whether a case ran them: {path source ran all}.
nlohmann::json policyCoverage(const nlohmann::json& report, const std::string& path, const std::string& text);

std::string policyPath(std::uint64_t revision);

}  // namespace postern::webadmin::pages
