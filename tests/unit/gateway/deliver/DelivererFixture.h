#pragma once
#include "gateway/deliver/Deliverer.h"
#include "tests/support/DialogPeer.h"
#include "tests/support/FakeResolver.h"
#include "tests/support/MemoryCopyQueue.h"
#include "tests/support/SealedSample.h"

namespace postern::gateway::test {

using namespace postern::test;
using namespace std::chrono_literals;

inline const std::string Canary = "canary-7261";

// A deliverer over a queue in memory, with a resolver and certificates of its own.
struct DelivererFixture {
  TlsTestCertificates certificates;
  FakeResolver resolver;
  MemoryCopyQueue queue;
  SystemClock clock;
  net::TlsClient tls{certificates.caFile()};
  DelivererOptions options;
  std::optional<Deliverer> deliverer;
  std::vector<app::Route> routes;
  std::uint64_t lastKey = 0;

  DelivererFixture() {
    options.client = {"gate.example", 2s, 2s};
    options.hops.hostName = "gate.example";
    options.hops.refuseOurselves = false;
    options.schedule.firstRetry = 150ms;
    options.schedule.maxRetry = 300ms;
    options.linger = 20ms;
    options.stopGrace = 200ms;
  }

  void start() {
    deliverer.emplace(options, queue, resolver, tls, clock);
    deliverer->setRoutes(routes);
    deliverer->start();
  }

  void route(const std::string& domain, const DialogPeer& peer, app::Route::Tls mode = app::Route::Tls::Opportunistic,
             const std::string& host = "127.0.0.1") {
    routes.push_back({domain, host, peer.port(), mode});
    if (host != "127.0.0.1") resolver.host(host, {"127.0.0.1"});
  }

  std::pair<CopySummary, LoadedCopy> copyTo(const std::string& domain) {
    CopySummary summary;
    summary.key = ++lastKey;
    summary.destination = domain;
    summary.queuedAt = clock.now();
    summary.expiresAt = clock.now() + 1h;
    LoadedCopy copy;
    copy.mailFrom = "social-bounces+1@lists.example";
    copy.recipient = "r" + std::to_string(lastKey) + "@" + domain;
    copy.head = "From: a@b\r\nSubject: party\r\n\r\n" + Canary + "\r\n";
    copy.tail = std::make_shared<const std::string>();
    return {summary, copy};
  }

  std::pair<CopySummary, LoadedCopy> sealedTo(const std::string& domain) {
    static const auto body = SealedSample::base64(SealedSample().object(SealedSample::text(3000)));
    auto [summary, copy] = copyTo(domain);
    summary.protection = copy.protection = summary.floor = copy.floor = app::Protection::Smime;
    copy.head = SealedSample::header() + body.substr(0, 780);
    copy.tail = std::make_shared<const std::string>(body.substr(780));
    return {summary, copy};
  }

  void put(const std::pair<CopySummary, LoadedCopy>& item) { queue.put(item.first, item.second); }
  app::DeliveryEvent eventOf(std::uint64_t key, app::DeliveryEvent::Outcome outcome) {
    for (const auto& event : queue.events())
      if (event.copyKey == key && event.outcome == outcome) return event;
    BOOST_FAIL("no such event for copy " << key);
    return {};
  }
};

}  // namespace postern::gateway::test
