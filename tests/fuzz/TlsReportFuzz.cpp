// rooms: tlsrpt mail
// Whatever is sent as a report is a sentence of refusal or obeys the limits; what a DNS record names as a place is
// plain.
#include "core/mail/Text.h"
#include "core/tlsrpt/TlsReport.h"
#include "core/tlsrpt/TlsReportWriter.h"

#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  using namespace postern;
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  const auto check = [](bool holds) {
    if (!holds) std::abort();
  };
  const auto places = tlsrpt::reportPlaces({bytes, "v=spf1 -all"});
  check(places.size() <= 10);
  for (const auto& place : places) {
    check(place.size() <= 500 && (place.starts_with("mailto:") || place.starts_with("https://")));
    for (const char c : place) check(c > ' ' && c < '\x7f');
  }
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
