#include "listd/site/TlsReportStore.h"

#include <nlohmann/json.hpp>

namespace postern::listd {
namespace {

using nlohmann::json;

constexpr std::string_view Columns =
    "SELECT r.id, r.received_at, r.mail_from, r.organization, r.contact, r.report_id, r.begin_at, r.end_at, "
    "(SELECT coalesce(sum(successful), 0) FROM tls_report_policies p WHERE p.report_id = r.id), "
    "(SELECT coalesce(sum(failed), 0) FROM tls_report_policies p WHERE p.report_id = r.id) FROM tls_reports r ";

std::string failuresJson(const std::vector<tlsrpt::Failure>& failures) {
  auto list = json::array();
  for (const auto& failure : failures)
    list.push_back({{"type", failure.type},
                    {"sessions", failure.sessions},
                    {"sendingAddress", failure.sendingAddress},
                    {"receivingHost", failure.receivingHost},
                    {"receivingAddress", failure.receivingAddress},
                    {"reason", failure.reason}});
  return list.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::vector<tlsrpt::Failure> readFailures(std::string_view text) {
  std::vector<tlsrpt::Failure> failures;
  for (const auto& one : json::parse(text))
    failures.push_back({one.at("type"), one.at("sendingAddress"), one.at("receivingHost"), one.at("receivingAddress"),
                        one.at("reason"), one.at("sessions")});
  return failures;
}

KeptTlsReport readKept(const store::Statement& row) {
  KeptTlsReport kept;
  kept.id = row.unsignedInteger(0);
  kept.receivedAt = row.time(1);
  kept.mailFrom = row.text(2);
  kept.report.organization = row.text(3);
  kept.report.contact = row.text(4);
  kept.report.id = row.text(5);
  kept.report.begin = row.time(6);
  kept.report.end = row.time(7);
  kept.successful = row.unsignedInteger(8);
  kept.failed = row.unsignedInteger(9);
  return kept;
}

}  // namespace

std::optional<std::uint64_t> TlsReportStore::add(const tlsrpt::Report& report, std::string_view mailFrom,
                                                 TimePoint now) {
  auto known = database_.prepare(
      "SELECT count(*), coalesce(sum(organization = ?1 AND report_id = ?2 AND mail_from = ?3), 0) FROM tls_reports");
  if (known.bind(report.organization, report.id, mailFrom).step() &&
      (known.unsignedInteger(0) >= MaxReports || known.unsignedInteger(1) > 0))
    return std::nullopt;
  database_
      .prepare(
          "INSERT INTO tls_reports (received_at, mail_from, organization, contact, report_id, begin_at, end_at) "
          "VALUES (?, ?, ?, ?, ?, ?, ?)")
      .bind(now, mailFrom, report.organization, report.contact, report.id, report.begin, report.end)
      .run();
  const auto id = static_cast<std::uint64_t>(database_.lastInsertId());
  const auto day = std::chrono::floor<std::chrono::days>(report.begin).time_since_epoch().count();
  auto insert = database_.prepare(
      "INSERT INTO tls_report_policies (report_id, position, domain, type, day, successful, failed, failures) "
      "VALUES (?, ?, ?, ?, ?, ?, ?, ?)");
  for (std::size_t i = 0; i < report.policies.size(); ++i) {
    const auto& policy = report.policies[i];
    insert
        .bind(id, static_cast<std::uint64_t>(i), policy.domain, policy.type, static_cast<std::int64_t>(day),
              policy.successful, policy.failed, failuresJson(policy.failures))
        .run();
  }
  return id;
}

std::optional<KeptTlsReport> TlsReportStore::find(std::uint64_t id) const {
  auto select = database_.prepare(std::string(Columns) + "WHERE r.id = ?");
  if (!select.bind(id).step()) return std::nullopt;
  auto kept = readKept(select);
  auto policies = database_.prepare(
      "SELECT type, domain, successful, failed, failures FROM tls_report_policies WHERE report_id = ? ORDER BY "
      "position");
  policies.bind(id);
  while (policies.step())
    kept.report.policies.push_back({policies.text(0), policies.text(1), policies.unsignedInteger(2),
                                    policies.unsignedInteger(3), readFailures(policies.view(4))});
  return kept;
}

std::vector<KeptTlsReport> TlsReportStore::page(std::uint64_t before, std::uint32_t limit) const {
  auto select = database_.prepare(std::string(Columns) + "WHERE ?1 = 0 OR r.id < ?1 ORDER BY r.id DESC LIMIT ?2");
  select.bind(before, limit);
  std::vector<KeptTlsReport> reports;
  while (select.step()) reports.push_back(readKept(select));
  return reports;
}

std::vector<TlsReportDay> TlsReportStore::days(std::int64_t from) const {
  auto select = database_.prepare(
      "SELECT day, domain, sum(successful), sum(failed) FROM tls_report_policies WHERE day >= ? GROUP BY day, domain "
      "ORDER BY day, domain LIMIT ?");
  select.bind(from, MaxDays);
  std::vector<TlsReportDay> days;
  while (select.step())
    days.push_back({select.integer(0), select.text(1), select.unsignedInteger(2), select.unsignedInteger(3)});
  return days;
}

void TlsReportStore::forgetBefore(TimePoint receivedBefore) {
  database_
      .prepare("DELETE FROM tls_report_policies WHERE report_id IN (SELECT id FROM tls_reports WHERE received_at < ?)")
      .bind(receivedBefore)
      .run();
  database_.prepare("DELETE FROM tls_reports WHERE received_at < ?").bind(receivedBefore).run();
}

}  // namespace postern::listd
