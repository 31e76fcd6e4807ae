#pragma once
#include "core/base/Clock.h"
#include "core/base/Mutex.h"
#include "core/config/SiteConfig.h"
#include "core/net/Resolver.h"
#include "core/net/TlsClient.h"
#include "core/policy/PolicyHost.h"
#include "core/smtp/ClientConnection.h"
#include "gateway/deliver/CopyQueue.h"
#include "gateway/deliver/NextHop.h"
#include "gateway/deliver/OutboundCopy.h"
#include "gateway/deliver/Scheduler.h"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <thread>
#include <vector>

namespace postern::gateway {

struct DelivererOptions {
  smtp::ClientSettings client;
  NextHopFinder::Options hops;
  Scheduler::Options schedule;
  std::string ownUrl;  // of the web UI
  std::uint32_t copiesPerConnection = 1000;
  std::chrono::milliseconds linger{100};      // an idle connection waits so long for more copies of its lane
  std::chrono::milliseconds stopGrace{5000};  // for copies under way when stopping

  static DelivererOptions from(const config::SiteConfig& config);
};

// Hands the copies of the queue over to other mail servers and records what came of each attempt.
//
// Invariants: 1. No byte of a copy, not even its envelope, leaves without the FloorGuard's leave for that connection.
// 2. A copy whose protection is verified TLS waits when that fails; nothing is ever sent with less. 3. Each attempt is
// recorded once; a copy that got its 250 is not tried again by this process even if the record fails. 4. Nothing is
// tried while the queue is not healthy or its key is not set. 5. One slow, dead or hostile server holds up only its
// lane. 6. A policy that fails, or is not there, lets no copy go and gives none up. 7. A copy that was dropped, held or
// sent another way before its content began to leave does not leave. Ownership: queue, resolver, TLS client and clock
// must outlive it. Threads: safe for all; has threads of its own, up to one per connection. Errors: a delivery's are
// caught here, logged once, and its copy is deferred.
class Deliverer : private QueueListener {
public:
  // `sts`: null asks for no MTA-STS; `counters`: null counts no sessions; else they must outlive the deliverer, too.
  Deliverer(const DelivererOptions& options, CopyQueue& queue, net::Resolver& resolver, const net::TlsClient& tls,
            const Clock& clock, StsPolicies* sts = nullptr, TlsCounters* counters = nullptr);
  ~Deliverer() override;  // stop()

  void setRoutes(const std::vector<app::Route>& routes) { setRoutes(RouteTable(routes)); }
  void setRoutes(RouteTable routes);
  // Whom to ask before attempts and before copies are given up; before start(), and must outlive it.
  void judgeBy(policy::PolicyHost& policies) { policies_ = &policies; }
  // No policy keeps a copy for longer than this.
  static constexpr std::chrono::hours LongestLife{30 * 24};
  // An open connection waits so long for its destination's next message of the minute.
  static constexpr std::chrono::seconds LongestSlotWait{10};
  void start();
  // Takes up nothing new, lets what is under way end within the grace, then breaks it off (it stays in the queue).
  void stop();

  struct Counts {
    std::uint64_t delivered = 0;
    std::uint64_t deferred = 0;
    std::uint64_t failed = 0;
    std::uint64_t blocked = 0;
    std::uint64_t expired = 0;
  };
  Counts counts() const;
  std::vector<std::string> problems() const;  // plain sentences, empty when all is well

  // For people to look at.
  struct Answer {
    TimePoint at;
    std::string outcome;  // app::outcomeName
    std::string host;
    std::string text;
  };
  struct DestinationState {
    Scheduler::DestinationLook look;
    std::optional<Answer> lastAnswer;  // since the gateway started
  };
  std::vector<Scheduler::Look> look(std::span<const std::uint64_t> keys) const;
  std::vector<std::uint64_t> underWay() const;
  DestinationState lookAt(const std::string& domain) const;

private:
  using CopyAtHand = std::unique_ptr<OutboundCopy>;
  struct Visit;  // one thread's work on one lane

  void copiesQueued(std::span<const CopySummary> copies) override;
  void copyChanged(const CopySummary& copy) override;
  void copyDropped(std::uint64_t key) override;
  bool withdraw(std::uint64_t key) override;
  void queueKeySet() override;
  void healthChanged(bool healthy) override;

  void keepTime();
  void work();
  void wakeWorker() REQUIRES_LOCK(mutex_);
  std::size_t callLingerers(std::size_t wanted) REQUIRES_LOCK(mutex_);
  void wakeTimer() REQUIRES_LOCK(mutex_);
  void serveLane(Scheduler::Lane lane);
  void serve(Visit& visit);
  bool connect(Visit& visit);
  void tell(const NextHops& hops, std::size_t target, const smtp::ClientConnection* connection,
            const smtp::ClientFailure& failure) const;
  void sendAll(Visit& visit);
  bool judge(Visit& visit, const smtp::ClientResult& result);
  bool chooseHops(NextHops& hops, const std::string& domain, app::DeliveryEvent& event);
  bool letGo(const smtp::ClientConnection& connection, const OutboundCopy& copy);
  void giveUp(app::DeliveryEvent event, const OutboundCopy& copy);
  std::vector<Scheduler::Job> keepSome(std::vector<Scheduler::Job> expired);
  std::optional<LoadedCopy> loadExpired(const Scheduler::Job& job, bool& broken);
  void keep(const Scheduler::Job& job, std::string_view text);
  void clearOrBlock(Visit& visit, CopyAtHand& copy);
  CopyAtHand take(Visit& visit, bool linger);
  CopyAtHand open(const Scheduler::Job& job);
  std::optional<LoadedCopy> load(const Scheduler::Job& job, bool& locked);
  bool queueIsBroken();
  std::string hopName(const std::string& domain) const REQUIRES_LOCK(mutex_) { return routes_->hopName(domain); }
  Scheduler::Shape shapeOf(const std::string& domain) const REQUIRES_LOCK(mutex_) { return routes_->shapeOf(domain); }
  bool mayLeave(const Scheduler::Job& job);
  void noteAnswer(const Scheduler::Job& job, const app::DeliveryEvent& event);
  std::optional<Scheduler::Job> takeJob(Visit& visit, bool linger);

  app::DeliveryEvent eventFor(const Scheduler::Job& job, app::DeliveryEvent::Outcome outcome,
                              std::string_view text) const;
  app::DeliveryEvent eventFor(const OutboundCopy& copy, app::DeliveryEvent::Outcome outcome,
                              std::string_view text) const;
  void nameTrace(app::DeliveryEvent& event);
  void finish(app::DeliveryEvent event, const Scheduler::Job& job);
  void defer(app::DeliveryEvent event, const Scheduler::Job& job);
  bool record(app::DeliveryEvent& event);
  void count(app::DeliveryEvent::Outcome outcome);
  void putBack(const Scheduler::Job& job);

  const DelivererOptions options_;
  CopyQueue& queue_;
  const net::TlsClient& tls_;
  const Clock& clock_;
  const NextHopFinder hops_;
  TlsCounters* const counters_;
  policy::PolicyHost* policies_ = nullptr;  // null: nobody is asked
  ReadyTails tails_;

  mutable Mutex mutex_;
  Condition workers_;  // there may be a lane to serve
  Condition timer_;    // something is due earlier than the timer thread thinks
  Condition ended_;    // a worker came back
  std::shared_ptr<const RouteTable> routes_ GUARDED_BY(mutex_);
  Scheduler scheduler_ GUARDED_BY(mutex_);
  bool stopping_ GUARDED_BY(mutex_) = false;
  bool locked_ GUARDED_BY(mutex_) = false;  // the queue key is not there yet
  bool healthy_ GUARDED_BY(mutex_) = true;
  std::size_t idle_ GUARDED_BY(mutex_) = 0;
  std::vector<Visit*> lingering_ GUARDED_BY(mutex_);  // open connections that wait for more, the longest first
  std::size_t busy_ GUARDED_BY(mutex_) = 0;
  TimePoint timerSleepsUntil_ GUARDED_BY(mutex_){};
  std::map<std::string, Answer> answers_ GUARDED_BY(mutex_);  // by domain
  std::set<smtp::ClientInterrupt*> interrupts_ GUARDED_BY(mutex_);
  std::vector<std::thread> threads_ GUARDED_BY(mutex_);
  std::thread timerThread_;

  std::atomic<std::uint64_t> delivered_{0};
  std::atomic<std::uint64_t> deferred_{0};
  std::atomic<std::uint64_t> failed_{0};
  std::atomic<std::uint64_t> blocked_{0};
  std::atomic<std::uint64_t> expired_{0};
};

}  // namespace postern::gateway
