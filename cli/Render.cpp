#include "cli/Render.h"

#include "core/base/Clock.h"

#include <algorithm>
#include <array>
#include <iomanip>
#include <nlohmann/json.hpp>

namespace postern::cli {

using nlohmann::json;

namespace {

const json Nothing;

const json& fieldOf(const json& item, std::string_view field) {
  const auto dot = field.find('.');
  const auto name = std::string(field.substr(0, dot));
  if (!item.is_object() || !item.contains(name)) return Nothing;
  if (dot == std::string_view::npos) return item.at(name);
  return fieldOf(item.at(name), field.substr(dot + 1));
}

// Columns of a terminal that a UTF-8 text takes, near enough for names and addresses.
std::size_t width(const std::string& text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

// Fields that name something by a number, or are years, ports and the like: nothing is counted by them.
bool isName(std::string_view field) {
  constexpr std::array<std::string_view, 21> Names = {
      "entry",  "id",          "post",       "object", "run",  "job",      "seq",
      "epoch",  "port",        "version",    "rule",   "hold", "matter",   "request",
      "export", "certificate", "preference", "status", "exit", "firstBad", "part"};
  return std::ranges::find(Names, field.substr(field.rfind('.') + 1)) != Names.end();
}

std::string separated(std::string_view digits) {
  std::string text;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    const bool behindDigit = i > 0 && digits[i - 1] != '-';
    if (behindDigit && (digits.size() - i) % 3 == 0) text += ',';
    text += digits[i];
  }
  return text;
}

}  // namespace

std::string renderValue(std::string_view field, const json& value) {
  if (value.is_null()) return "-";
  if (value.is_boolean()) return value.get<bool>() ? "yes" : "no";
  const bool time = field.ends_with("At") || field.ends_with("Until") || field == "until" || field.ends_with("End");
  if (value.is_number_integer() && time)
    return value.get<std::int64_t>() == 0 ? "-" : formatRfc3339(fromMicros(value.get<std::int64_t>()));
  if (value.is_number_integer()) return isName(field) ? value.dump() : separated(value.dump());
  if (value.is_string()) return value.get<std::string>().empty() ? "-" : value.get<std::string>();
  return value.dump();
}

void renderTable(std::ostream& out, const json& items, const std::vector<Column>& columns, const char* empty) {
  if (items.empty()) {
    out << empty << "\n";
    return;
  }
  std::vector<std::vector<std::string>> rows(1);
  for (const auto& column : columns) rows[0].push_back(column.title);
  for (const auto& item : items) {
    auto& row = rows.emplace_back();
    for (const auto& column : columns) row.push_back(renderValue(column.field, fieldOf(item, column.field)));
  }
  std::vector<std::size_t> widths(columns.size());
  for (const auto& row : rows)
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width(row[i]));
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      out << row[i];
      if (i + 1 < row.size()) out << std::string(widths[i] - width(row[i]) + 2, ' ');
    }
    out << "\n";
  }
}

void renderRecord(std::ostream& out, const json& record, int indent) {
  const std::string margin(static_cast<std::size_t>(indent), ' ');
  for (const auto& [name, value] : record.items()) {
    if (value.is_object()) {
      out << margin << name << ":\n";
      renderRecord(out, value, indent + 2);
    } else if (value.is_array() && !value.empty() && value.front().is_object()) {
      out << margin << name << ":\n";
      for (const auto& item : value) {
        renderRecord(out, item, indent + 2);
        out << "\n";
      }
    } else {
      out << margin << name << ": " << renderValue(name, value) << "\n";
    }
  }
}

}  // namespace postern::cli
