#include "webadmin/pages/RecordPages.h"
#include "webadmin/RecordViews.h"
#include "webadmin/Views.h"
#include "webadmin/Words.h"

#include <algorithm>
#include <array>

namespace postern::webadmin::pages {

using nlohmann::json;

namespace {

struct Kind {
  const char* name;
  const char* title;
  const char* text;
  bool auditorsOnly = false;
};
constexpr std::array Kinds = {
    Kind{"encryption", "Encryption evidence", "All deliveries by method; exceptions, or that there are none."},
    Kind{"retention", "Retention coverage", "Lists and the rules that cover them, with what none covers."},
    Kind{"holds", "Holds register", "Every hold, its matter, scope and dates."},
    Kind{"certificates", "Disposition certificates", "What was destroyed, by which run."},
    Kind{"access", "Access review", "Who may do what, and when they last signed in.", true},
    Kind{"content-access", "Content access by staff", "Who read which message, and why.", true},
    Kind{"sign-ins", "Failed sign-ins", "Refused sign-ins and locks.", true},
    Kind{"config", "Changes of settings", "Who changed what, from which value to which.", true},
    Kind{"keys", "Keys at rest", "Root key, epochs, backups of keys.", true},
    Kind{"audit", "Audit verification", "Size, root, anchors and results of the audit log.", true},
};

// As the list of reports calls it.
std::string titleOf(std::string_view name, std::string given) {
  for (const auto& kind : Kinds)
    if (kind.name == name) return kind.title;
  return given;
}

// A report that reads every copy of its time: the page begins with these days, of which the reader may ask for more.
constexpr std::chrono::days ShownAtFirst{30};

// The span asked for; an empty field stands for all that there is.
std::pair<std::string, std::string> spanOf(const Visit& visit) {
  const auto& asked = visit.request.query;
  if (visit.param("report") == "encryption" && !asked.has("from") && !asked.has("until"))
    return {formatRfc3339(visit.now() - ShownAtFirst).substr(0, 10), ""};
  return {asked.get("from"), asked.get("until")};
}

constexpr int RowsOfPage = 200;
constexpr int RowsAtOnce = 5000;  // the most that the order gives

json reportOf(const Visit& visit, const std::string& after, int limit) {
  json args = {{"name", visit.param("report")}, {"limit", limit}};
  if (!after.empty()) args["after"] = after;
  const auto [from, until] = spanOf(visit);
  if (!from.empty()) args["from"] = from;
  if (!until.empty()) args["until"] = until;
  return visit.order("report", args);
}

// Columns are words, or {"name", "title"}; rows are lists of cells, or objects by the columns' names.
std::vector<std::string> columnTitles(const json& report) {
  std::vector<std::string> titles;
  for (const auto& column : views::part(report, "columns")) {
    if (column.is_string())
      titles.push_back(column.get<std::string>());
    else
      titles.push_back(views::text(column, views::text(column, "title").empty() ? "name" : "title"));
  }
  return titles;
}

// A column's name as the head of a table; the files keep the names as listd gives them.
std::string heading(std::string title) {
  if (!title.empty() && title[0] >= 'a' && title[0] <= 'z') title[0] = static_cast<char>(title[0] - 'a' + 'A');
  return title;
}

std::vector<std::string> cellsOf(const json& report, const json& row) {
  std::vector<std::string> cells;
  if (row.is_array()) {
    for (const auto& cell : row)
      cells.push_back(cell.is_string() ? cell.get<std::string>() : cell.is_null() ? "" : cell.dump());
    return cells;
  }
  for (const auto& column : views::part(report, "columns"))
    cells.push_back(views::text(row, column.is_string() ? column.get<std::string>() : views::text(column, "name")));
  return cells;
}

// Whether a column counts something: its numbers are for reading, with separators. Others are names.
bool counts(std::string_view title) {
  constexpr std::array<std::string_view, 9> Names = {"id",      "entry", "run",   "seq",        "version",
                                                     "request", "post",  "epoch", "certificate"};
  return std::ranges::find(Names, title) == Names.end();
}

json cellView(const json& value, const std::string& text, const std::string& title) {
  const bool number = value.is_number_unsigned();
  return {{"text", number && counts(title) ? words::count(value.get<std::uint64_t>()) : text},
          {"title", heading(title)},
          {"number", number}};
}

// Every page of the report.
std::string csvOf(const Visit& visit) {
  auto report = reportOf(visit, {}, RowsAtOnce);
  auto body = views::csvLine(columnTitles(report));
  for (;;) {
    for (const auto& row : views::part(report, "rows")) body += views::csvLine(cellsOf(report, row));
    const auto next = views::text(report, "next");
    if (next.empty()) return body;
    report = reportOf(visit, next, RowsAtOnce);
  }
}

}  // namespace

Response reports(Visit& visit) {
  json rows = json::array();
  const auto roles = views::rolesOf(visit);
  for (const auto& kind : Kinds)
    if (!kind.auditorsOnly || views::flag(roles, "auditor"))
      rows.push_back({{"path", std::string("/reports/") + kind.name}, {"title", kind.title}, {"text", kind.text}});
  return visit.page("reports", {"Reports", "reports"}, {{"rows", rows}, {"roles", roles}});
}

Response report(Visit& visit) {
  const auto made = reportOf(visit, visit.request.query.get("after"), RowsOfPage);
  const auto titles = columnTitles(made);
  json columns = json::array(), rows = json::array();
  for (const auto& row : views::part(made, "rows")) {
    json cells = json::array();
    const auto texts = cellsOf(made, row);
    for (std::size_t i = 0; i < texts.size(); ++i)
      cells.push_back(
          cellView(row.is_array() ? row[i] : json(), texts[i], i < titles.size() ? titles[i] : std::string()));
    rows.push_back({{"cells", cells}});
  }
  for (std::size_t i = 0; i < titles.size(); ++i)
    columns.push_back(
        {{"title", heading(titles[i])},
         {"number", !rows.empty() && i < rows[0]["cells"].size() && rows[0]["cells"][i]["number"] == true}});
  const auto path = "/reports/" + percentEncode(visit.param("report"));
  const auto [from, until] = spanOf(visit);
  const auto query = "?from=" + percentEncode(from) + "&until=" + percentEncode(until);
  const bool empty = rows.empty();
  const auto title = titleOf(visit.param("report"), views::text(made, "title"));
  return visit.page(
      "report", {"Report: " + title, "reports"},
      {{"title", title},
       {"path", path},
       {"csvPath", path + "/report.csv" + query},
       {"jsonPath", path + "/report.json" + query + "&after=" + percentEncode(visit.request.query.get("after"))},
       {"from", from},
       {"until", until},
       {"columns", columns},
       {"rows", rows},
       {"empty", empty},
       {"nextPath", views::text(made, "next").empty()
                        ? std::string()
                        : path + query + "&after=" + percentEncode(views::text(made, "next"))},
       {"signature", views::part(made, "signature").empty() ? views::text(made, "signature")
                                                            : views::part(made, "signature").dump()}});
}

// As a table for a spreadsheet, or as the signed JSON that listd made.
Response reportFile(Visit& visit) {
  if (visit.param("file") == "report.csv")
    return views::attachment("text/csv; charset=utf-8", "report.csv", csvOf(visit));
  if (visit.param("file") == "report.json")
    return views::attachment("application/json", "report.json",
                             reportOf(visit, visit.request.query.get("after"), RowsOfPage)
                                     .dump(2, ' ', false, json::error_handler_t::replace) +
                                 "\n");
  throw app::OrderRefused({"not-found", "A report comes as report.csv or report.json.", ""});
}

}  // namespace postern::webadmin::pages
