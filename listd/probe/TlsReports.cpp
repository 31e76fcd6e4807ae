#include "listd/probe/TlsReports.h"

#include "core/base/Log.h"
#include "core/tlsrpt/TlsReport.h"

#include <algorithm>
#include <chrono>

namespace postern::listd {
namespace {

constexpr std::string_view LocalPart = "tlsrpt";
constexpr std::chrono::days KeptFor{400};
constexpr std::size_t MaxMail = 8u << 20;  // a report of the most compressed octets, in base64

bool isBelow(std::string_view domain, std::string_view ours) {
  return domain == ours || (domain.ends_with(ours) && domain[domain.size() - ours.size() - 1] == '.');
}

}  // namespace

std::string tlsReportAddress(std::string_view domain) {
  return std::string(LocalPart).append("@").append(domain);
}

bool isTlsReportAddress(SiteContext& context, const mail::Address& address) {
  const auto key = address.key();
  const auto at = key.rfind('@');
  if (std::string_view(key).substr(0, at) != LocalPart) return false;
  const auto ours = context.site.read([](SiteTables& tables) { return tables.domains.names(); });
  return std::find(ours.begin(), ours.end(), key.substr(at + 1)) != ours.end();
}

void takeTlsReport(SiteContext& context, const app::Submission& submission) {
  const auto drop = [&](std::string_view why) {
    log::info("tls-reports", "a mail to the address of TLS reports was dropped",
              {{"trace", submission.queueId}, {"why", why}});
  };
  if (submission.content.size() > MaxMail) return drop("it is too large");
  auto report = tlsrpt::readReportMail(submission.content);
  if (!report) return drop(report.error());
  const auto ours = context.site.read([](SiteTables& tables) { return tables.domains.names(); });
  std::erase_if(report->policies, [&](const tlsrpt::Policy& policy) {
    return std::none_of(ours.begin(), ours.end(), [&](const std::string& one) { return isBelow(policy.domain, one); });
  });
  if (report->policies.empty()) return drop("it is about no domain of this site");
  const auto now = context.clock.now();
  const auto id = context.site.write([&](SiteTables& tables) {
    tables.tlsReports.forgetBefore(now - KeptFor);
    return tables.tlsReports.add(*report, submission.mailFrom, now);
  });
  if (!id) drop("it is there already, or too many are");
}

std::string tlsReportRecord(std::string_view domain) {
  return "v=TLSRPTv1; rua=mailto:" + tlsReportAddress(domain);
}

}  // namespace postern::listd
