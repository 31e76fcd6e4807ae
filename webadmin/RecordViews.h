#pragma once
#include "core/app/Roles.h"
#include "core/base/Clock.h"
#include "webadmin/Http.h"
#include "webadmin/Visit.h"

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// Parts of views that the pages of records share: rules, scopes, requests, holds.
namespace postern::webadmin::views {

using nlohmann::json;

// True when the person who is signed in has one of the roles.
bool may(const Visit& visit, app::Roles roles);
// What the person may be, as flags for a template: {"admin", "officer", "approver", "auditor", …}.
json rolesOf(const Visit& visit);

// A time field of the record orders: as views::time, or {"never": true} for what never comes; null when it is absent.
json moment(const json& object, std::string_view field, TimePoint now);

// The values of a field of a form that may come several times or hold several values, apart by commas or blanks.
std::vector<std::string> valuesOf(const Fields& form, std::string_view name);

// A scope (core/records/Predicate.h) as its form describes it. Throws app::OrderRefused("invalid") for a size or a
// header line that cannot be read.
json scopeOf(const Fields& form);
// The fields of the form that describe the scope, and the view of the form with those fields in it.
Fields scopeFields(const json& scope);
json scopeForm(const Fields& form);
// The fields of the scope's form as a query string, to carry them from step to step: "lists=a%40x&from=2025-01-01".
std::string scopeQuery(const Fields& form);

// A rule (core/records/Rule.h) as its form describes it, and back. The same errors as scopeOf.
json ruleOf(const Fields& form);
Fields ruleFields(const json& rule);
json ruleForm(const Fields& form, const std::string& start = {});
json ruleRow(const json& rule, TimePoint now);

// What differs between two values, field by field, nested ones with their path:
// [{"field", "before", "after", "changed"}].
json difference(const json& before, const json& after);

json requestRow(const json& request, TimePoint now);
json holdRow(const json& hold, TimePoint now);
// The names of the matters that the person may see, by their numbers; and the row ("matter") with "matterName" in it.
json matterNames(const Visit& visit);
json withMatterName(json row, const json& names);

// A download by the browser.
Response attachment(std::string contentType, const std::string& fileName, std::string body);

std::string rulePath(std::string_view id);
std::string messagePath(std::string_view object);
std::string matterPath(std::string_view id);
std::string holdPath(std::string_view id);
std::string requestPath(std::string_view id);
std::string exportPath(std::string_view id);
std::string whatIfPath(std::string_view id);

// After an order that may have become a request: to the request, or to `path`.
Response afterChange(const json& answer, const std::string& path);

}  // namespace postern::webadmin::views
