#pragma once
#include "core/app/DomainTls.h"
#include "core/base/Clock.h"
#include "core/base/Mutex.h"
#include "core/net/TlsClient.h"
#include "gateway/deliver/NextHop.h"

#include <chrono>
#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace postern::gateway {

// Finds out what TLS the mail servers of a domain have: it greets each (EHLO, STARTTLS, EHLO) and hangs up; no mail and
// no address is ever sent. A few domains at a time, the hosts of one side by side; what was found is kept for who asks
// again. Ownership: resolver and policies behind the finder, TLS client and clock must outlive it. Threads: safe for
// all; has its own. Errors: what the network does stands in the answer.
class DomainProber {
public:
  DomainProber(smtp::ClientSettings settings, NextHopFinder finder, const net::TlsClient& tls, const Clock& clock);
  ~DomainProber();

  void setRoutes(RouteTable routes);

  // `domain` in lower case. `fresh` starts over unless one is under way; else what is known is given, and a first probe
  // starts. Returns when it is finished or `wait` is over.
  app::DomainProbe probe(const std::string& domain, bool fresh, std::chrono::milliseconds wait);

private:
  static constexpr std::size_t Workers = 4;
  static constexpr std::size_t MaxKept = 500;

  struct Run {
    app::DomainProbe result;  // guarded by mutex_
  };

  void work();
  void ask(const std::string& domain, Run& run);
  void askHost(const HopHost& host, const HopSurvey& survey, app::HostProbe& result);
  void greet(smtp::ClientTarget target, app::HostProbe& result, bool withDane);
  void dropOld() REQUIRES_LOCK(mutex_);

  const smtp::ClientSettings settings_;
  const NextHopFinder finder_;
  const net::TlsClient& tls_;
  const Clock& clock_;
  Mutex mutex_;
  Condition todoOrStop_;
  Condition changed_;
  std::shared_ptr<const RouteTable> routes_ GUARDED_BY(mutex_);
  std::map<std::string, std::shared_ptr<Run>> runs_ GUARDED_BY(mutex_);
  std::deque<std::string> todo_ GUARDED_BY(mutex_);
  std::set<smtp::ClientInterrupt*> interrupts_ GUARDED_BY(mutex_);
  bool stopping_ GUARDED_BY(mutex_) = false;
  std::vector<std::thread> threads_;
};

}  // namespace postern::gateway
