#include "cli/TlsReportVerbs.h"

#include "cli/Render.h"

#include <nlohmann/json.hpp>

namespace postern::cli {

using nlohmann::json;

namespace {

using Kind = Parameter::Kind;
using Type = Parameter::Type;

void renderReport(std::ostream& out, const json& report) {
  out << report.value("organization", "") << ", " << renderValue("beginAt", report.at("beginAt")) << " to "
      << renderValue("endAt", report.at("endAt")) << "\n\n";
  renderTable(out, report.at("policies"),
              {{"DOMAIN", "domain"}, {"POLICY", "type"}, {"SUCCESSFUL", "successful"}, {"FAILED", "failed"}}, "");
  auto rows = json::array();
  for (const auto& policy : report.at("policies"))
    for (auto row : policy.at("failures")) {
      row["domain"] = policy.at("domain");
      rows.push_back(std::move(row));
    }
  if (rows.empty()) return;
  out << "\n";
  renderTable(out, rows,
              {{"DOMAIN", "domain"},
               {"FAILURE", "type"},
               {"SESSIONS", "sessions"},
               {"FROM", "sendingAddress"},
               {"TO", "receivingHost"},
               {"REASON", "reason"}},
              "");
}

void renderDays(std::ostream& out, const json& result) {
  renderTable(out, result.at("items"),
              {{"DAY", "at"}, {"DOMAIN", "domain"}, {"SUCCESSFUL", "successful"}, {"FAILED", "failed"}},
              "Nobody has reported of these days.");
  out << "\nOther sites report to a domain that has this TXT record in the DNS:\n";
  for (const auto& record : result.at("records"))
    out << "  " << record.value("name", "") << "  \"" << record.value("record", "") << "\"\n";
  const auto contact = result.value("contact", "");
  if (contact.empty())
    out << "\nPostern sends no reports of its own; to send them set tls_reports.contact in postern.toml.\n";
  else
    out << "\nPostern reports to other domains each day; for questions it names " << contact << ".\n";
}

}  // namespace

std::vector<OrderVerb> tlsReportVerbs() {
  return {
      {"tlsrpt",
       "list",
       "tlsrpt.list",
       "Lists the TLS reports that other sites have sent, newest first.",
       {{Kind::Option, "--limit", "limit", "how many; default 50", false, Type::Number},
        {Kind::Option, "--before", "before", "go on behind this id"}},
       [](std::ostream& out, const json& result) {
         renderTable(out, result.at("items"),
                     {{"ID", "id"},
                      {"RECEIVED", "receivedAt"},
                      {"ORGANIZATION", "organization"},
                      {"FROM", "beginAt"},
                      {"SUCCESSFUL", "successful"},
                      {"FAILED", "failed"}},
                     "No reports yet. postern tlsrpt days shows what to publish, so that others send them.");
       }},
      {"tlsrpt",
       "show",
       "tlsrpt.show",
       "Shows a TLS report that another site has sent.",
       {{Kind::Positional, "id", "id", "the report", true}},
       renderReport},
      {"tlsrpt",
       "days",
       "tlsrpt.days",
       "Shows the sessions with our servers by day, as others report them, and the DNS records that ask for reports.",
       {{Kind::Option, "--days", "days", "how many days; default 30", false, Type::Number}},
       renderDays},
  };
}

}  // namespace postern::cli
