#include "cli/TlsReportVerb.h"

#include "cli/Render.h"
#include "core/base/Error.h"
#include "core/base/Files.h"
#include "core/tlsrpt/TlsReport.h"

#include <iostream>
#include <iterator>
#include <nlohmann/json.hpp>

namespace postern::cli {
namespace {

using nlohmann::json;

// Files of mail are kept with LF alone by many programs.
std::string withCrlf(const std::string& text) {
  if (text.find('\r') != std::string::npos) return text;
  std::string lines;
  for (const char c : text) lines += c == '\n' ? std::string("\r\n") : std::string(1, c);
  return lines;
}

tlsrpt::Report read(const std::string& file) {
  const auto bytes = file != "-" ? files::read(file) : std::string(std::istreambuf_iterator<char>(std::cin), {});
  const bool bare = bytes.starts_with("\x1f\x8b") || bytes.starts_with("{");
  auto report = bare ? tlsrpt::readReport(bytes) : tlsrpt::readReportMail(withCrlf(bytes));
  if (!report) throw Error(ErrorKind::Config, file + ": " + report.error());
  return std::move(*report);
}

json viewOf(const tlsrpt::Policy& policy) {
  json view{{"domain", policy.domain},
            {"type", policy.type},
            {"successful", policy.successful},
            {"failed", policy.failed},
            {"failures", json::array()}};
  for (const auto& failure : policy.failures)
    view["failures"].push_back({{"type", failure.type},
                                {"sessions", failure.sessions},
                                {"sendingAddress", failure.sendingAddress},
                                {"receivingHost", failure.receivingHost},
                                {"receivingAddress", failure.receivingAddress},
                                {"reason", failure.reason}});
  return view;
}

void print(std::ostream& out, const tlsrpt::Report& report, const json& view) {
  out << report.organization << ", " << formatRfc3339(report.begin) << " to " << formatRfc3339(report.end) << "\n\n";
  renderTable(out, view["policies"],
              {{"DOMAIN", "domain"}, {"POLICY", "type"}, {"SUCCESSFUL", "successful"}, {"FAILED", "failed"}}, "");
  auto rows = json::array();
  for (const auto& policy : view["policies"])
    for (auto row : policy["failures"]) {
      row["domain"] = policy["domain"];
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

}  // namespace

Exit showTlsReport(const Context& context, const std::string& file) {
  const auto report = read(file);
  json view{{"organization", report.organization},  {"contact", report.contact},        {"id", report.id},
            {"begin", formatRfc3339(report.begin)}, {"end", formatRfc3339(report.end)}, {"policies", json::array()}};
  bool failed = false;
  for (const auto& policy : report.policies) {
    view["policies"].push_back(viewOf(policy));
    failed = failed || policy.failed != 0;
  }
  if (context.json)
    context.out << view.dump(2) << "\n";
  else
    print(context.out, report, view);
  return failed ? Exit::No : Exit::Ok;
}

}  // namespace postern::cli
