#pragma once
#include "core/base/Clock.h"
#include "core/store/Database.h"
#include "core/tlsrpt/TlsReport.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace postern::listd {

// A report of another site about the TLS of its connections to us, as it is kept.
struct KeptTlsReport {
  std::uint64_t id = 0;
  TimePoint receivedAt;
  std::string mailFrom;
  std::uint64_t successful = 0;  // sessions, of all policies
  std::uint64_t failed = 0;
  tlsrpt::Report report;  // policies from find() only
};

// Sessions that others had with our servers on one day, as they report them.
struct TlsReportDay {
  std::int64_t day = 0;  // since 1970
  std::string domain;
  std::uint64_t successful = 0;
  std::uint64_t failed = 0;
};

// The TLS reports of others. Threads: those of the connection. Errors: Error(Store).
class TlsReportStore {
public:
  explicit TlsReportStore(store::Database& database) : database_(database) {}

  // Nothing when this report of this organization and sender is there already, or MaxReports are.
  std::optional<std::uint64_t> add(const tlsrpt::Report& report, std::string_view mailFrom, TimePoint now);
  std::optional<KeptTlsReport> find(std::uint64_t id) const;
  // Newest first, with ids below `before` (0: from the newest).
  std::vector<KeptTlsReport> page(std::uint64_t before, std::uint32_t limit) const;
  // By day and domain, days not before `from`; at most MaxDays rows.
  std::vector<TlsReportDay> days(std::int64_t from) const;
  void forgetBefore(TimePoint receivedBefore);

  static constexpr std::uint64_t MaxReports = 50'000;
  static constexpr std::uint32_t MaxDays = 5'000;

private:
  store::Database& database_;
};

}  // namespace postern::listd
