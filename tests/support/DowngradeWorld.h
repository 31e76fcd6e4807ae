#pragma once
#include "core/crypto/Digest.h"
#include "core/crypto/Encoding.h"
#include "gateway/deliver/Deliverer.h"
#include "tests/support/DialogPeer.h"
#include "tests/support/MemoryCopyQueue.h"
#include "tests/support/SignedZone.h"
#include "tests/support/TempFolder.h"

#include <boost/test/unit_test.hpp>
#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace postern::test {

inline const std::string DowngradeCanary = "canary-7261";

inline std::string tlsa(std::uint16_t port, const std::string& host, const std::string& numbers,
                        const std::string& data) {
  return "_" + std::to_string(port) + "._tcp." + host + " IN TLSA " + numbers + " " + crypto::hex(data) + "\n";
}

// A mail server that remembers every command it heard.
struct Listener {
  MailSink sink;
  std::mutex mutex;
  std::string heard;
  std::optional<DialogPeer> peer;
  std::size_t mailsBefore = 0;  // of attempts that are forgotten
  bool refusesStartTls = false;

  Listener() {
    sink.reply = [this](const std::string& line) {
      const std::lock_guard lock(mutex);
      heard += line + "\n";
      return std::string(refusesStartTls && line.starts_with("STAR") ? "454 4.7.0 not now\r\n" : "");
    };
    peer.emplace(std::ref(sink));
  }
  void forget() {
    const std::lock_guard lock(mutex);
    heard.clear();
    mailsBefore = sink.mails().size();
  }
  bool heardMail() {
    const std::lock_guard lock(mutex);
    return heard.find("MAIL") != std::string::npos || heard.find("@") != std::string::npos ||
           heard.find(DowngradeCanary) != std::string::npos || sink.mails().size() > mailsBefore;
  }
};

// A name server with real signatures, a web server for the policy, a mail server, and a deliverer that sends to it.
// What the members say when the zone is first asked for is served. Threads: one.
struct DowngradeWorld {
  using Outcome = app::DeliveryEvent::Outcome;
  using Server = TlsTestCertificates::Server;

  TlsTestCertificates certificates;
  Listener server;
  const std::uint16_t port = server.peer->port();
  std::mutex httpsMutex;
  Server httpsCertificate = certificates.server("mta-sts.plain.test");
  std::string policy;
  bool httpsDown = false;
  DialogPeer https{[this](DialogSession& session) {
    Server certificate;
    std::string answer;
    {
      const std::lock_guard lock(httpsMutex);
      if (httpsDown) return;
      certificate = httpsCertificate;
      answer = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: " + std::to_string(policy.size()) +
               "\r\nConnection: close\r\n\r\n" + policy;
    }
    if (!session.startTls(certificate)) return;
    while (auto line = session.line())
      if (line->empty()) break;
    session.send(answer);
  }};
  TempFolder folder;
  SystemClock clock;
  FakeClock policyClock{clock.now()};
  net::TlsClient tls{certificates.caFile()};
  net::CurlHttpsClient client{certificates.caFile()};
  std::string signedRecords = "@ IN MX 10 mx\nmx IN A 127.0.0.1\nmta-sts IN A 127.0.0.1\n";
  std::string plainRecords = "@ IN MX 10 mx.other.test.\nmta-sts IN A 127.0.0.1\n";
  std::string otherRecords = "mx IN A 127.0.0.1\n";
  std::string forge;
  std::string signOptions;
  std::vector<std::string> trusted;
  std::vector<std::string> distrusted;
  std::optional<SignedZone> zone;
  std::optional<net::UnboundResolver> resolver;
  std::optional<gateway::StsPolicies> sts;
  std::optional<gateway::TlsCounters> counters;
  std::optional<gateway::Deliverer> deliverer;
  std::uint64_t lastKey = 0;

  gateway::DelivererOptions options() const {
    gateway::DelivererOptions options;
    options.client = {"gate.example", std::chrono::seconds(3), std::chrono::seconds(3)};
    options.hops.hostName = "gate.example";
    options.hops.refuseOurselves = false;
    options.hops.port = port;
    options.schedule.firstRetry = options.schedule.maxRetry = std::chrono::hours(1);
    options.linger = std::chrono::milliseconds(20);
    options.stopGrace = std::chrono::milliseconds(200);
    return options;
  }

  void serveZone() {
    zone.emplace(signedRecords, plainRecords, otherRecords, forge, signOptions);
    resolver.emplace(zone->config());
    sts.emplace(gateway::StsPolicies::Options{folder / "mta-sts", https.port(), std::chrono::seconds(5)}, *resolver,
                client, policyClock);
  }

  void announce(const std::string& mode, const std::string& mx, const std::string& domain = "plain.test") {
    (domain == "plain.test" ? plainRecords : signedRecords) += "_mta-sts IN TXT \"v=STSv1; id=1;\"\n";
    httpsCertificate = certificates.server("mta-sts." + domain);
    policy = "version: STSv1\nmode: " + mode + "\nmx: " + mx + "\nmax_age: 86400\n";
  }

  // One attempt to deliver a copy; what came of it.
  app::DeliveryEvent attempt(const std::string& domain, app::Protection protection = app::Protection::Tls,
                             app::TlsAsk ask = app::TlsAsk::Usual) {
    if (!zone) serveZone();
    MemoryCopyQueue queue;
    if (!counters) counters.emplace(folder / "tls-reports", clock);
    deliverer.emplace(options(), queue, *resolver, tls, clock, &*sts, &*counters);
    deliverer->setRoutes(gateway::RouteTable({}, trusted, distrusted));
    deliverer->start();
    gateway::CopySummary summary;
    summary.key = ++lastKey;
    summary.destination = domain;
    summary.queuedAt = clock.now();
    summary.expiresAt = clock.now() + std::chrono::hours(2);
    gateway::LoadedCopy copy;
    copy.mailFrom = "board-bounces+1@lists.example";
    copy.recipient = "ann@" + domain;
    copy.head = "From: a@b\r\nSubject: party\r\n\r\n" + DowngradeCanary + "\r\n";
    copy.tail = std::make_shared<const std::string>();
    summary.protection = copy.protection = summary.floor = copy.floor = protection;
    summary.tlsAsk = copy.tlsAsk = ask;
    queue.put(summary, copy);
    BOOST_REQUIRE(queue.waitForEvents(1));
    deliverer.reset();
    return queue.events().back();
  }

  // What the domain would be told of the sessions of today: "TYPE successful/failed failure,failure".
  std::string told(const std::string& domain) {
    std::string all;
    auto day = counters->of(gateway::dayOf(clock.now()));
    for (const auto& own : day[domain]) {
      all += (all.empty() ? "" : "; ") + own.policy.type + " " + std::to_string(own.policy.successful) + "/" +
             std::to_string(own.policy.failed);
      for (const auto& failure : own.policy.failures) all += " " + failure.type;
    }
    return all;
  }

  void leaves(const app::DeliveryEvent& event, const std::string& proof) {
    BOOST_TEST((event.outcome == Outcome::Delivered), event.replyText);
    BOOST_TEST(event.tls.verification == proof);
    BOOST_TEST(server.heardMail());
    for (const auto& mail : server.sink.mails()) BOOST_TEST(mail.tls);
  }
  void waits(const app::DeliveryEvent& event, const std::string& why) {
    BOOST_TEST((event.outcome == Outcome::Deferred), event.replyText);
    BOOST_TEST(event.replyText.find(why) != std::string::npos, event.replyText);
    BOOST_TEST(!server.heardMail());
  }
  std::string keyDigest(const Server& of) {
    return crypto::sha256(TlsTestCertificates::publicKeyOf(of.certificate.get()));
  }
};

}  // namespace postern::test
