// rooms: tlsrpt mail
// Whatever is sent as a report is a sentence of refusal or obeys the limits.
#include "core/mail/Text.h"
#include "core/tlsrpt/TlsReport.h"

#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  using namespace postern;
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  const auto check = [](bool holds) {
    if (!holds) std::abort();
  };
  for (const auto& report : {tlsrpt::readReport(bytes), tlsrpt::readReportMail(bytes)}) {
    if (!report) {
      check(!report.error().empty());
      continue;
    }
    check(report->begin <= report->end && !report->policies.empty());
    check(report->policies.size() <= tlsrpt::MaxPolicies);
    std::size_t failures = 0;
    const auto clean = [&](const std::string& text) {
      check(text.size() <= tlsrpt::MaxText && mail::isUtf8(text) && !mail::hasControl(text));
    };
    for (const auto& text : {report->organization, report->contact, report->id}) clean(text);
    for (const auto& policy : report->policies) {
      clean(policy.domain);
      clean(policy.type);
      failures += policy.failures.size();
      for (const auto& failure : policy.failures)
        for (const auto& text : {failure.type, failure.sendingAddress, failure.receivingHost, failure.reason})
          clean(text);
    }
    check(failures <= tlsrpt::MaxFailures);
  }
  return 0;
}
