#pragma once
#include "core/base/Clock.h"
#include "core/base/Mutex.h"
#include "core/tlsrpt/TlsReportWriter.h"

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <tuple>
#include <vector>

namespace postern::gateway {

// One session with a mail server, or the try at one, as the domain that published a policy wants to hear of it.
struct TlsSession {
  std::string domain;
  std::string policyType;             // "tlsa" "sts" "no-policy-found" (RFC 8460 §4.2)
  std::vector<std::string> strings;   // the policy
  std::vector<std::string> patterns;  // its MX hosts
  std::string failure;                // result type of §4.3; empty: all went well
  std::string host;
  std::string address;
  std::string reason;
};

// How the TLS of our connections went, by day (UTC), domain and policy, for the reports that go out each day. Kept in
// memory within limits and written down by flush(), so that a kill costs what came after the last one.
// Threads: safe for all. Errors: the constructor throws Error(Io); a file that cannot be written costs durability only.
class TlsCounters {
public:
  struct Limits {
    std::size_t policies = 20'000;    // of one day; what comes beyond is not reported
    std::size_t failuresOfEach = 50;  // kinds of failure, by type, host and address; beyond: their number alone
    std::chrono::days keptFor{3};
  };
  TlsCounters(std::filesystem::path folder, const Clock& clock, Limits limits);
  TlsCounters(std::filesystem::path folder, const Clock& clock) : TlsCounters(std::move(folder), clock, Limits{}) {}

  void add(const TlsSession& session);
  void flush();

  // What was counted on a day (since 1970), by domain.
  using Day = std::map<std::string, std::vector<tlsrpt::OwnPolicy>>;
  Day of(std::int64_t day) const;
  std::vector<std::int64_t> days() const;
  // Forgets a day, and what is too old.
  void forget(std::int64_t day);

private:
  struct Counted {
    tlsrpt::OwnPolicy own;
    std::map<std::tuple<std::string, std::string, std::string, std::string>, std::size_t> places;  // of failures
  };
  using Key = std::tuple<std::string, std::string, std::string>;  // domain, type, the policy itself
  struct Counters {
    std::map<Key, Counted> policies;
    bool changed = false;
  };

  std::filesystem::path fileOf(std::int64_t day) const;
  void load(const std::filesystem::path& file);

  const std::filesystem::path folder_;
  const Clock& clock_;
  const Limits limits_;
  mutable Mutex mutex_;
  std::map<std::int64_t, Counters> days_ GUARDED_BY(mutex_);
};

std::int64_t dayOf(TimePoint at);  // since 1970, UTC

}  // namespace postern::gateway
