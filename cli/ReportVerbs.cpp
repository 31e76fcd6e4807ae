#include "cli/ReportVerbs.h"

#include "cli/Render.h"

#include <nlohmann/json.hpp>

namespace postern::cli {

using nlohmann::json;

namespace {

using Kind = Parameter::Kind;
using Type = Parameter::Type;

void more(std::ostream& out, const json& result) {
  if (const auto next = result.value("next", ""); !next.empty()) out << "(more: --after " << next << ")\n";
}

// CSV goes out as it came, so that it can be put into a file; the table is for people.
void showReport(std::ostream& out, const json& result) {
  if (result.contains("csv")) {
    out << result.at("csv").get<std::string>();
    return;
  }
  const auto names = result.at("columns").get<std::vector<std::string>>();
  std::vector<Column> columns;
  for (const auto& name : names) columns.push_back({name.c_str(), name.c_str()});
  json items = json::array();
  for (const auto& row : result.at("rows")) {
    json item = json::object();
    for (std::size_t i = 0; i < names.size(); ++i) item[names[i]] = row.at(i);
    items.push_back(std::move(item));
  }
  renderTable(out, items, columns, "In this time there was nothing of this kind.");
  more(out, result);
}

}  // namespace

std::vector<OrderVerb> reportVerbs() {
  const auto option = [](const char* name, const char* field, const char* doc, Type type = Type::Text) {
    return Parameter{Kind::Option, name, field, doc, false, type};
  };
  return {
      {"report",
       "show",
       "report",
       "Shows a report; with --json as a signed document (docs/compliance.md says how to verify it).",
       {{Kind::Positional, "name", "name",
         "encryption, retention, holds, certificates, access, content-access, sign-ins, config, keys or audit", true},
        option("--from", "from", "first day, as 2026-03-01"),
        option("--until", "until", "last day"),
        {Kind::Flag, "--csv", "csv", "as CSV", false, Type::Truth},
        option("--limit", "limit", "most rows to show, up to 5000", Type::Number),
        option("--after", "after", "go on after this row")},
       showReport},
      {"report",
       "content-access",
       "list.content-access",
       "Shows which staff read mail of a list.",
       {{Kind::Positional, "list", "list", "address of the list", true},
        option("--limit", "limit", "most rows to show", Type::Number),
        option("--after", "after", "go on after this row")},
       [](std::ostream& out, const json& result) {
         renderTable(out, result.at("items"),
                     {{"AT", "at"},
                      {"BY", "by"},
                      {"ROLE", "role"},
                      {"ACTION", "action"},
                      {"MESSAGE", "object"},
                      {"MESSAGES", "objects"}},
                     "Nobody of the staff read mail of this list.");
         more(out, result);
       }},
      {"evidence",
       "make",
       "evidence.pack",
       "Begins an evidence pack: all rows of all reports, the control map and the keys, signed as a whole.",
       {},
       [](std::ostream& out, const json& result) {
         out << "evidence pack " << result.at("id") << " begun; fetch it with: postern evidence get " << result.at("id")
             << " FILE\n";
       }},
      {"evidence",
       "list",
       "evidence.list",
       "Shows the evidence packs; each is kept for seven days.",
       {},
       [](std::ostream& out, const json& result) {
         renderTable(out, result.at("items"),
                     {{"ID", "id"},
                      {"STATE", "state"},
                      {"ASKED", "createdAt"},
                      {"BY", "createdBy"},
                      {"ROWS", "rows"},
                      {"BYTES", "bytes"},
                      {"UNTIL", "expiresAt"}},
                     "No evidence packs. Ask for one with: postern evidence make");
       }},
      {"evidence",
       "show",
       "evidence.show",
       "Shows one evidence pack: how far it is, its size and its SHA-256.",
       {{Kind::Positional, "id", "id", "the evidence pack", true}},
       [](std::ostream& out, const json& result) { renderRecord(out, result); }},
      {"evidence",
       "remove",
       "evidence.remove",
       "Removes an evidence pack, or stops one that is being made.",
       {{Kind::Positional, "id", "id", "the evidence pack", true}},
       [](std::ostream& out, const json&) { out << "removed\n"; }},
  };
}

}  // namespace postern::cli
