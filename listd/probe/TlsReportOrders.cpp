#include "listd/probe/TlsReportOrders.h"

#include "listd/orders/Views.h"
#include "listd/probe/TlsReports.h"

namespace postern::listd {

using nlohmann::json;

namespace {

using app::Role;

constexpr Access Readers{Role::Admin | Role::Officer | Role::Auditor | Role::Helpdesk};

json viewOf(const KeptTlsReport& kept) {
  return {{"id", kept.id},
          {"receivedAt", toMicros(kept.receivedAt)},
          {"mailFrom", kept.mailFrom},
          {"organization", kept.report.organization},
          {"contact", kept.report.contact},
          {"reportId", kept.report.id},
          {"beginAt", toMicros(kept.report.begin)},
          {"endAt", toMicros(kept.report.end)},
          {"successful", kept.successful},
          {"failed", kept.failed}};
}

json viewOf(const tlsrpt::Policy& policy) {
  auto failures = json::array();
  for (const auto& failure : policy.failures)
    failures.push_back({{"type", failure.type},
                        {"sessions", failure.sessions},
                        {"sendingAddress", failure.sendingAddress},
                        {"receivingHost", failure.receivingHost},
                        {"receivingAddress", failure.receivingAddress},
                        {"reason", failure.reason}});
  return {{"domain", policy.domain},
          {"type", policy.type},
          {"successful", policy.successful},
          {"failed", policy.failed},
          {"failures", std::move(failures)}};
}

json listReports(OrderTools& tools, const OrderCall& call) {
  const auto limit = static_cast<std::uint32_t>(call.args.number("limit", 50, 1, 1000));
  const auto before = call.args.textOr("before", {}).empty() ? 0 : call.args.id("before");
  return tools.context.site.read([&](SiteTables& tables) {
    const auto reports = tables.tlsReports.page(before, limit);
    auto items = json::array();
    for (const auto& report : reports) items.push_back(viewOf(report));
    return pageOf(std::move(items), reports.size() == limit ? std::to_string(reports.back().id) : std::string());
  });
}

json showReport(OrderTools& tools, const OrderCall& call) {
  const auto id = call.args.id("id");
  return tools.context.site.read([&](SiteTables& tables) {
    const auto kept = tables.tlsReports.find(id);
    if (!kept) refuse("not-found", "there is no TLS report " + std::to_string(id), "see: postern tlsrpt list");
    auto view = viewOf(*kept);
    view["policies"] = json::array();
    for (const auto& policy : kept->report.policies) view["policies"].push_back(viewOf(policy));
    return view;
  });
}

// Sessions by day, what each domain has to publish so that others report, and whom our own reports name for questions.
json showDays(OrderTools& tools, const OrderCall& call) {
  const auto days = call.args.number("days", 30, 1, 400);
  const auto today = std::chrono::floor<std::chrono::days>(tools.now());
  const auto from = today.time_since_epoch().count() - static_cast<std::int64_t>(days) + 1;
  return tools.context.site.read([&](SiteTables& tables) {
    auto items = json::array();
    for (const auto& day : tables.tlsReports.days(from))
      items.push_back({{"at", toMicros(TimePoint(std::chrono::days(day.day)))},
                       {"domain", day.domain},
                       {"successful", day.successful},
                       {"failed", day.failed}});
    auto view = pageOf(std::move(items), {});
    view["contact"] = tools.context.config.tlsReportContact;
    view["records"] = json::array();
    for (const auto& domain : tables.domains.all())
      if (domain.kind == "list")
        view["records"].push_back({{"domain", domain.name},
                                   {"address", tlsReportAddress(domain.name)},
                                   {"name", "_smtp._tls." + domain.name},
                                   {"record", tlsReportRecord(domain.name)}});
    return view;
  });
}

constexpr OrderRow Table[] = {
    {"tlsrpt.list", OrderKind::Reads, listReports, Readers},
    {"tlsrpt.show", OrderKind::Reads, showReport, Readers},
    {"tlsrpt.days", OrderKind::Reads, showDays, Readers},
};

}  // namespace

std::span<const OrderRow> tlsReportOrders() {
  return Table;
}

}  // namespace postern::listd
