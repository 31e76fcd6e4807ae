#pragma once
#include "core/base/Clock.h"
#include "core/base/Result.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

// Reports of other sites about the TLS of their connections to us (SMTP TLS Reporting, RFC 8460): who could not reach
// our servers in the way that our DANE records or MTA-STS policy demand.
namespace postern::tlsrpt {

struct Failure {
  std::string type;  // RFC 8460 §4.3: "starttls-not-supported", "certificate-expired", …
  std::string sendingAddress;
  std::string receivingHost;
  std::string receivingAddress;
  std::string reason;
  std::uint64_t sessions = 0;
};

struct Policy {
  std::string type;  // "tlsa", "sts", "no-policy-found"
  std::string domain;
  std::uint64_t successful = 0;
  std::uint64_t failed = 0;
  std::vector<Failure> failures;
};

// Invariants of what readReport gives: all text is UTF-8 of one line and at most MaxText octets; begin <= end.
struct Report {
  std::string organization;
  std::string contact;
  std::string id;
  TimePoint begin;
  TimePoint end;
  std::vector<Policy> policies;
};

constexpr std::size_t MaxCompressed = 4u << 20;
constexpr std::size_t MaxJson = 8u << 20;  // unpacked; what would be more is a refusal, and is not unpacked
constexpr std::size_t MaxPolicies = 1000;
constexpr std::size_t MaxFailures = 10'000;  // in all
constexpr std::size_t MaxText = 500;         // longer text is cut

// A report as JSON, with or without gzip. The error is a plain sentence.
Result<Report, std::string> readReport(std::string_view bytes);

// The report in a mail: its part application/tlsrpt+gzip or +json (RFC 8460 §5.3).
Result<Report, std::string> readReportMail(std::string message);

}  // namespace postern::tlsrpt
