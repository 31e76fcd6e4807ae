#include "webadmin/Chart.h"
#include "webadmin/pages/Pages.h"
#include "webadmin/Views.h"
#include "webadmin/Words.h"

#include <map>

namespace postern::webadmin::pages {

using nlohmann::json;

namespace {

constexpr std::int64_t Days = 30;
constexpr std::size_t MostCharts = 8;
constexpr std::size_t LabelEvery = 10;

std::uint64_t numberOf(const json& object, const char* field) {
  const auto found = object.find(field);
  return found == object.end() || !found->is_number_unsigned() ? 0 : found->get<std::uint64_t>();
}

// One chart for each domain, of the last days; days without a report are empty columns.
json chartsOf(const json& days, TimePoint now) {
  std::map<std::string, std::map<std::string, json>> byDomain;
  for (const auto& item : days)
    byDomain[views::text(item, "domain")]
            [words::day(TimePoint(std::chrono::microseconds(item.value("at", std::int64_t{0}))))] = item;
  json charts = json::array();
  for (const auto& [domain, known] : byDomain) {
    if (charts.size() == MostCharts) break;
    json columns = json::array();
    std::uint64_t failed = 0;
    for (std::int64_t back = Days - 1; back >= 0; --back) {
      const auto day = words::day(now - std::chrono::hours(24 * back));
      const auto found = known.find(day);
      json column{{"month", day}};
      if (found != known.end()) {
        column["reached"] = numberOf(found->second, "successful");
        column["missed"] = numberOf(found->second, "failed");
        failed += numberOf(found->second, "failed");
      }
      columns.push_back(std::move(column));
    }
    auto chart = drawMonths(columns, {{"reached", "Successful"}, {"missed", "Failed"}});
    json labels = json::array();
    for (std::size_t i = 0; i < columns.size(); ++i)
      labels.push_back({{"label", i % LabelEvery == 0 ? columns[i].value("month", "").substr(5) : std::string()}});
    chart["labels"] = labels;
    json rows = json::array();
    for (auto row = chart["rows"].rbegin(); row != chart["rows"].rend(); ++row)
      if (known.contains(row->value("month", ""))) rows.push_back(*row);
    chart["rows"] = rows;
    charts.push_back(
        {{"domain", domain},
         {"chart", chart},
         {"failing", failed > 0},
         {"badge", {{"text", failed > 0 ? "Sessions failed" : "All well"}, {"tone", failed > 0 ? "bad" : "good"}}}});
  }
  return charts;
}

json rowOf(const json& report, TimePoint now) {
  return {{"path", "/tls/reports/" + views::text(report, "id")},
          {"organization", views::text(report, "organization")},
          {"mailFrom", views::text(report, "mailFrom")},
          {"receivedAt", views::time(report, "receivedAt", now)},
          {"day", words::day(TimePoint(std::chrono::microseconds(report.value("beginAt", std::int64_t{0}))))},
          {"successful", words::count(numberOf(report, "successful"))},
          {"failed", words::count(numberOf(report, "failed"))},
          {"failing", numberOf(report, "failed") > 0}};
}

std::string orUnsaid(std::string text) {
  return text.empty() ? "not said" : text;
}

std::string policyWords(const std::string& type) {
  if (type == "tlsa") return "DANE";
  if (type == "sts") return "MTA-STS";
  return type == "no-policy-found" ? "No policy found" : type;
}

}  // namespace

Response tlsReports(Visit& visit) {
  const auto before = visit.request.query.get("before");
  const auto days = visit.order("tlsrpt.days", {{"days", Days}});
  const auto list = visit.order("tlsrpt.list", before.empty() ? json::object() : json{{"before", before}});
  json rows = json::array(), records = json::array();
  for (const auto& report : views::part(list, "items")) rows.push_back(rowOf(report, visit.now()));
  for (const auto& record : views::part(days, "records"))
    records.push_back({{"domain", views::text(record, "domain")},
                       {"name", views::text(record, "name")},
                       {"record", views::text(record, "record")},
                       {"address", views::text(record, "address")}});
  const auto charts = before.empty() ? chartsOf(views::part(days, "items"), visit.now()) : json::array();
  const auto next = views::text(list, "next"), contact = views::text(days, "contact");
  return visit.page(
      "tls-reports", {"TLS reports", "tls"},
      {{"charts", charts},
       {"hasCharts", !charts.empty()},
       {"rows", rows},
       {"hasRows", !rows.empty()},
       {"next", next.empty() ? std::string() : "/tls/reports?before=" + percentEncode(next)},
       {"contact", contact},
       {"sending",
        {{"text", contact.empty() ? "Not sent" : "Sent each day"}, {"tone", contact.empty() ? "calm" : "good"}}},
       {"records", records},
       {"hasRecords", !records.empty()}});
}

Response tlsReport(Visit& visit) {
  const auto report = visit.order("tlsrpt.show", {{"id", visit.param("report")}});
  json policies = json::array();
  for (const auto& policy : views::part(report, "policies")) {
    json failures = json::array();
    for (const auto& failure : views::part(policy, "failures"))
      failures.push_back({{"type", views::text(failure, "type")},
                          {"sessions", words::count(numberOf(failure, "sessions"))},
                          {"from", orUnsaid(views::text(failure, "sendingAddress"))},
                          {"host", views::text(failure, "receivingHost")},
                          {"address", views::text(failure, "receivingAddress")},
                          {"reason", orUnsaid(views::text(failure, "reason"))}});
    policies.push_back({{"domain", views::text(policy, "domain")},
                        {"policy", policyWords(views::text(policy, "type"))},
                        {"successful", words::count(numberOf(policy, "successful"))},
                        {"failed", words::count(numberOf(policy, "failed"))},
                        {"hasFailures", !failures.empty()},
                        {"failures", failures}});
  }
  auto view = rowOf(report, visit.now());
  view["contact"] = views::text(report, "contact");
  view["reportId"] = views::text(report, "reportId");
  view["beginAt"] = views::time(report, "beginAt", visit.now());
  view["endAt"] = views::time(report, "endAt", visit.now());
  view["policies"] = policies;
  return visit.page("tls-report", {"TLS report of " + views::text(report, "organization"), "tls"}, view);
}

}  // namespace postern::webadmin::pages
