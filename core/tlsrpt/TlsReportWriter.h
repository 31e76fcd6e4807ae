#pragma once
#include "core/tlsrpt/TlsReport.h"

#include <string>
#include <string_view>
#include <vector>

// The other direction: what this site reports to others of its connections to their servers (RFC 8460).
namespace postern::tlsrpt {

struct OwnPolicy {
  Policy policy;
  std::vector<std::string> strings;  // the policy as it was found: TLSA records, lines of an MTA-STS policy
  std::vector<std::string> mxHosts;
};

struct OwnReport {
  std::string organization;
  std::string contact;
  std::string id;
  TimePoint begin;
  TimePoint end;
  std::vector<OwnPolicy> policies;
};

std::string writeReport(const OwnReport& report);  // JSON (§4)
std::string gzip(std::string_view bytes);

// Where a domain wants its reports, by the TXT records of "_smtp._tls.DOMAIN" (§3): "mailto:" and "https:" addresses,
// at most ten. Nothing: there is no record, more than one, or one that is not well formed.
std::vector<std::string> reportPlaces(const std::vector<std::string>& records);

struct ReportMail {
  std::string from;
  std::string to;
  std::string domain;     // that the report is about
  std::string submitter;  // ours
  std::string reportId;
  std::string messageId;
  std::string date;
  std::string begin;  // seconds since 1970, for the name of the file
  std::string end;
};
// The mail with a report (§5.3): multipart/report, its second part the compressed JSON. All fields of `mail` are plain
// ASCII of one line.
std::string writeReportMail(const ReportMail& mail, std::string_view compressed);

}  // namespace postern::tlsrpt
