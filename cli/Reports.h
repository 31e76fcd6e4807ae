#pragma once
#include <nlohmann/json_fwd.hpp>
#include <ostream>

// Results that deserve more than a table or a record.
namespace postern::cli {

void reportStatus(std::ostream& out, const nlohmann::json& result);
void reportReadiness(std::ostream& out, const nlohmann::json& result);
void reportImport(std::ostream& out, const nlohmann::json& result);
void reportTrace(std::ostream& out, const nlohmann::json& result);

// For `status --check`: something is wrong by a rule whose severity is error.
bool hasErrors(const nlohmann::json& result);

}  // namespace postern::cli
