#pragma once
#include <nlohmann/json_fwd.hpp>
#include <ostream>
#include <string>
#include <vector>

namespace postern::cli {

// A column of a table: its title and the field of each item, as in "key.fingerprint".
struct Column {
  const char* title;
  const char* field;
};

// One value as people read it: times in UTC, yes and no, "12,345" unless the field is the number of something, "-" for
// nothing.
std::string renderValue(std::string_view field, const nlohmann::json& value);

// Items as aligned columns; `empty` is said when there are none.
void renderTable(std::ostream& out, const nlohmann::json& items, const std::vector<Column>& columns, const char* empty);

// An object as "name: value" lines; nested objects indented.
void renderRecord(std::ostream& out, const nlohmann::json& record, int indent = 0);

}  // namespace postern::cli
