#include "webadmin/JourneyViews.h"
#include "webadmin/pages/Pages.h"
#include "webadmin/RecordViews.h"
#include "webadmin/Views.h"
#include "webadmin/Words.h"

#include <map>

namespace postern::webadmin::pages {

using nlohmann::json;

namespace {

constexpr int RowsShown = 100;
constexpr int PagesOfAFile = 60;  // of 1,000 rows: what is longer, the command line makes

constexpr const char* Fields[] = {"post", "recipient", "list", "from", "until"};

json askedOf(const Visit& visit) {
  json args = json::object();
  for (const auto* field : Fields)
    if (const auto value = visit.request.query.get(field); !value.empty()) args[field] = value;
  return args;
}

std::string queryOf(const json& asked) {
  std::string query;
  for (const auto& [field, value] : asked.items())
    query += (query.empty() ? "?" : "&") + field + "=" + percentEncode(value.get<std::string>());
  return query;
}

// A row by the names of its columns.
std::map<std::string, std::string> cellsOf(const json& report, const json& row) {
  std::map<std::string, std::string> cells;
  const auto& columns = views::part(report, "columns");
  for (std::size_t i = 0; i < columns.size() && i < row.size(); ++i)
    cells[columns[i].get<std::string>()] = row[i].is_string() ? row[i].get<std::string>() : row[i].dump();
  return cells;
}

std::string tlsLine(const std::string& version, const std::string& cipher, const std::string& verification) {
  if (version.empty()) return "without TLS";
  const auto by = words::verification(verification);
  return version + (cipher.empty() ? "" : " " + cipher) + (by.empty() ? "" : ", " + by);
}

// "2026-03-01 12:00:00 UTC", as times stand on pages.
std::string shortTime(std::string iso) {
  if (iso.size() < 20) return iso;
  iso[10] = ' ';
  return iso.substr(0, 19) + " UTC";
}

std::string pickupLine(std::map<std::string, std::string>& cells) {
  if (cells["pick-up"].empty()) return {};
  return cells["picked up"].empty() ? "Not read yet (" + words::state(cells["pick-up"]) + ")"
                                    : "Read " + shortTime(cells["picked up"]);
}

std::string signatureText(const std::string& word) {
  if (word == "none") return "Not signed.";
  if (word == "not checked") return "Encryption and signature were not looked at.";
  return "Signature: " + words::state(word) + ".";
}

// How a message came, once for all of its copies.
json messageView(std::map<std::string, std::string> cells, const json& post, TimePoint now) {
  const auto& verified = cells["arrival client verified"];
  return {{"post", cells["post"]},
          {"path", views::postPath(cells["post"])},
          {"list", cells["list"]},
          {"messageId", cells["message id"]},
          {"received", shortTime(cells["received"])},
          {"by", cells["handed over by"]},
          {"arrival", tlsLine(cells["arrival TLS"], cells["arrival cipher"], verified == "verified" ? verified : "")},
          {"signature", signatureText(cells["signature"])},
          {"journey", views::journey(views::part(views::part(post, "arrival"), "journey"), now)},
          {"rows", json::array()}};
}

json copyView(std::map<std::string, std::string> cells) {
  const auto& protection = cells["protection"];
  return {{"recipient", cells["recipient"]},
          {"protection", words::protection(protection)},
          {"tone", protection == "withheld" ? "wait"
                   : protection == "none"   ? "quiet"
                                            : "good"},
          {"reason", words::reason(cells["reason"])},
          {"fingerprint", words::fingerprint(cells["key"])},
          {"badge", views::badge(cells["state"])},
          {"at", shortTime(cells["delivered"])},
          {"hop", cells["next hop"]},
          {"tls", tlsLine(cells["TLS"], cells["cipher"], cells["TLS verification"])},
          {"reply", cells["reply code"] + " " + cells["reply"]},
          {"pickup", pickupLine(cells)}};
}

// The messages of the page with their copies: rows stand in the order of "posts", which also has those without a copy.
json messagesOf(const json& report, TimePoint now) {
  json messages = json::array();
  const auto& rows = views::part(report, "rows");
  std::size_t place = 0;
  for (const auto& post : views::part(report, "posts")) {
    const auto id = views::text(post, "post");
    json message;
    for (; place < rows.size(); ++place) {
      const auto cells = cellsOf(report, rows[place]);
      if (cells.at("post") != id) break;
      if (message.is_null()) message = messageView(cells, post, now);
      message["rows"].push_back(copyView(cells));
    }
    if (message.is_null())
      message = {{"post", id}, {"path", views::postPath(id)}, {"list", views::text(post, "list")}, {"noCopies", true}};
    messages.push_back(std::move(message));
  }
  return messages;
}

}  // namespace

Response delivery(Visit& visit) {
  auto asked = askedOf(visit);
  json view = {{"asked", false}, {"refusal", nullptr}};
  for (const auto* field : Fields) view[field] = visit.request.query.get(field);
  int status = 200;
  if (!asked.empty()) try {
      const auto query = queryOf(asked);
      asked["limit"] = RowsShown;
      const auto report = visit.order("report.delivery", asked);
      view.update({{"asked", true},
                   {"empty", views::part(report, "posts").empty()},
                   {"shown", words::count(views::part(report, "rows").size())},
                   {"more", !views::text(report, "next").empty()},
                   {"htmlPath", "/delivery/report.html" + query},
                   {"csvPath", "/delivery/report.csv" + query},
                   {"jsonPath", "/delivery/report.json" + query}});
      view["messages"] = messagesOf(report, visit.now());
    } catch (const app::OrderRefused& refused) {
      view["refusal"] = views::refusal(refused);
      status = 422;
    }
  return visit.page("delivery", {"Delivery report", "posts", status}, std::move(view));
}

Response deliveryFile(Visit& visit) {
  const auto name = visit.param("file");
  const bool json_ = name == "report.json";
  if (!json_ && name != "report.csv" && name != "report.html")
    throw app::OrderRefused({"not-found", "A delivery report comes as report.html, report.csv or report.json.", ""});
  const std::string format = name.substr(name.find('.') + 1);
  auto args = askedOf(visit);
  args["format"] = format;
  std::string body;
  for (int page = 0;; ++page) {
    if (page == PagesOfAFile)
      throw app::OrderRefused({"invalid", "This report is too long for the browser.",
                               "Choose fewer days, or on the server: postern report delivery --out FILE"});
    const auto made = visit.order("report.delivery", args);
    body +=
        json_ ? made.dump(-1, ' ', false, json::error_handler_t::replace) + "\n" : views::text(made, format.c_str());
    const auto next = views::text(made, "next");
    if (next.empty()) break;
    args["after"] = next;
  }
  return views::attachment(json_             ? "application/json"
                           : format == "csv" ? "text/csv; charset=utf-8"
                                             : "text/html; charset=utf-8",
                           "delivery-report." + format, std::move(body));
}

}  // namespace postern::webadmin::pages
