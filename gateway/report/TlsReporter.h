#pragma once
#include "core/base/Clock.h"
#include "core/base/Mutex.h"
#include "core/net/Resolver.h"
#include "gateway/report/ReportKeys.h"
#include "gateway/report/TlsCounters.h"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <thread>

namespace postern::gateway {

// How a report gets to its domain. Each gives why it did not; nothing: it is there.
class ReportSender {
public:
  virtual ~ReportSender() = default;
  virtual std::optional<std::string> mail(const std::string& from, const std::string& to,
                                          const std::string& message) = 0;
  virtual std::optional<std::string> post(const std::string& url, const std::string& compressed) = 0;
};

// Reports each day to the domains that ask for it how the TLS of our connections to them went the day before
// (RFC 8460).
//
// Invariants: 1. A day is reported once it is over, after a wait that differs from site to site and day to day. 2. No
// report goes out twice: that it is about to leave is on disk before, so that after a kill one may be missing, never
// two. 3. What fails is tried three times, an hour apart; after two days it is given up. 4. Nothing else waits for it.
// Ownership: counters, resolver, sender and clock must outlive it. Threads: start() makes one; runOnce() is its work.
// Errors: caught and logged; the constructor throws Error(Io).
class TlsReporter {
public:
  struct Options {
    std::filesystem::path folder;
    std::string hostName;
    std::string contact;  // mail address
    std::chrono::minutes spread{240};
    std::chrono::milliseconds pause{60000};
  };
  TlsReporter(Options options, TlsCounters& counters, net::Resolver& resolver, ReportSender& sender, const Clock& clock,
              const ReportKeys* keys = nullptr);
  ~TlsReporter();

  void start();
  void runOnce();

private:
  enum class State : std::uint8_t { Open, Failed, Done };
  struct Progress {
    State state = State::Open;
    int tries = 0;
    TimePoint triedAt;
  };
  using Progresses = std::map<std::string, Progress>;

  void work();
  bool isDue(std::int64_t day) const;
  bool reportDay(std::int64_t day);
  bool report(std::int64_t day, const std::string& domain, const std::vector<tlsrpt::OwnPolicy>& policies,
              Progress& progress);
  bool send(std::int64_t day, const std::string& domain, const std::vector<std::string>& places,
            const std::vector<tlsrpt::OwnPolicy>& policies);
  std::filesystem::path journalOf(std::int64_t day) const;
  Progresses load(std::int64_t day) const;
  void note(std::int64_t day, const std::string& word, const std::string& domain) const;

  const Options options_;
  TlsCounters& counters_;
  net::Resolver& resolver_;
  ReportSender& sender_;
  const Clock& clock_;
  const ReportKeys* keys_;
  Mutex mutex_;
  Condition stop_;
  bool stopping_ GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace postern::gateway
