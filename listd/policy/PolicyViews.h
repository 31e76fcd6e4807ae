#pragma once
#include "listd/orders/OrderTools.h"
#include "listd/policy/PolicyCare.h"

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace postern::listd {

nlohmann::json viewOf(const PolicyRevision& revision);  // without files

// The care of this site; refuses the order where policies cannot be asked.
PolicyCare& requirePolicies(OrderTools& tools);

// The stored set that "revision" names; without one, that in force.
PolicyRevision requireRevision(OrderTools& tools, const Args& args, std::string_view argument = "revision");

// {path: text} of "files"; refuses what is no set of texts.
nlohmann::json requireFiles(const Args& args);

// Stores the set that the call brings with "files", unless it is the one in force or a candidate already. Records it.
PolicyRevision storeFiles(OrderTools& tools, const OrderCall& call, const nlohmann::json& files,
                          const std::string& digest);

// What is wrong with a set, as the hint of a refusal: the first problem or failed case.
std::string firstProblem(const nlohmann::json& report);

// Line by line, from one set to another: [{path change lines[{mark text}]}], of files that differ only.
nlohmann::json differenceOf(const nlohmann::json& before, const nlohmann::json& after);

}  // namespace postern::listd
