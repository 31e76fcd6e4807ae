// rooms: listd
// Fan-out of one post to a secure list, from the accepted message to the last copy in the gateway's hands and the last
// outcome in the ledger, against a gateway that only counts. Prints copies per second, CPU per copy, time to the first
// copy and peak memory; beside it the raw wrap (heads only) of the same process, one thread.
//   ListFanOutBench [members] [kilobytes of content]
#include "core/base/Files.h"
#include "core/base/Log.h"
#include "core/base/Mutex.h"
#include "core/crypto/RecipientKey.h"
#include "core/crypto/SealedBox.h"
#include "core/seal/SmimeSealer.h"
#include "listd/Listd.h"
#include "listd/site/SiteContext.h"
#include "tests/support/TempFolder.h"
#include "tests/unit/core/crypto/TestCertificates.h"

#include <sys/resource.h>

#include <iostream>

using namespace postern;
using namespace postern::listd;
using Steady = std::chrono::steady_clock;

namespace {

double secondsSince(Steady::time_point start) {
  return std::chrono::duration<double>(Steady::now() - start).count();
}

double cpuSeconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

long peakMegabytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss / 1024;
}

// Takes everything at once and tells "delivered" for it.
class CountingGateway : public app::GatewayService {
public:
  void hello(std::string_view) override {}
  void setRouting(const app::RoutingView& view) override {
    const MutexLock lock(mutex_);
    vaultKey = view.vaultPublicKey;
  }
  std::vector<app::AcceptedItem> takeAccepted(std::uint64_t, std::uint32_t, std::chrono::milliseconds wait) override {
    std::unique_lock<Mutex> lock(mutex_);
    changed_.wait_for(lock, std::min(wait, std::chrono::milliseconds(100)), [&] { return !item_.empty(); });
    if (item_.empty()) return {};
    return {{++id_, std::exchange(item_, {})}};
  }
  void sessionEnded(std::uint64_t) override {}
  void submitCopies(std::vector<app::Copy> copies, std::vector<app::Tail>) override {
    const MutexLock lock(mutex_);
    if (submitted == 0) firstAt = Steady::now();
    lastAt = Steady::now();
    for (const auto& copy : copies) {
      if (copy.kind != app::Copy::Kind::Content) continue;
      ++submitted;
      app::DeliveryEvent event;
      event.copyKey = copy.key;
      event.at = SystemClock().now();
      event.attempt = 1;
      event.replyCode = 250;
      event.replyText = "2.0.0 ok";
      event.remoteHost = "mx.example.org";
      event.tls = {"TLSv1.3", "TLS_AES_256_GCM_SHA384", 256, "verified", "mx.example.org"};
      events_.push_back({++sequence_, event});
    }
    changed_.notify_all();
  }
  void finish(const std::vector<std::uint64_t>&) override {}
  std::vector<app::GatewayEvent> takeEvents(std::uint64_t acknowledged, std::uint32_t max,
                                            std::chrono::milliseconds wait) override {
    std::unique_lock<Mutex> lock(mutex_);
    while (!events_.empty() && events_.front().sequence <= acknowledged) events_.pop_front();
    if (max > 0)
      changed_.wait_for(lock, std::min(wait, std::chrono::milliseconds(100)), [&] { return !events_.empty(); });
    const auto count = std::min<std::size_t>(max, events_.size());
    return {events_.begin(), events_.begin() + static_cast<std::ptrdiff_t>(count)};
  }
  app::GatewayStats stats() override { return {}; }
  std::uint64_t queueAct(std::string_view, std::uint64_t) override { return 0; }

  bool ready() const {
    const MutexLock lock(mutex_);
    return !vaultKey.empty();
  }
  void accept(const app::Submission& submission) {
    const MutexLock lock(mutex_);
    item_ = crypto::SealedBoxWriter(vaultKey).seal(submission.encode(), app::SubmissionContext);
    changed_.notify_all();
  }
  bool allSettled(std::uint64_t members) const {
    const MutexLock lock(mutex_);
    return submitted == members && events_.empty();
  }

  Steady::time_point firstAt;
  Steady::time_point lastAt;
  std::uint64_t submitted = 0;

private:
  mutable Mutex mutex_;
  Condition changed_;
  std::string vaultKey;
  std::string item_;
  std::uint64_t id_ = 0;
  std::deque<app::GatewayEvent> events_;
  std::uint64_t sequence_ = 0;
};

std::string makeRecipientKey() {
  test::TestCertificate certificate;
  certificate.key = test::testKey("rsa2048");
  return crypto::RecipientKey::of(certificate.parsed()).encode();
}

void makeSite(const config::SiteConfig& config, const Clock& clock, int members, const std::string& recipientKey) {
  SiteContext context(config, clock);
  List list;
  list.address = "board@lists.example";
  list.domain = "lists.example";
  const auto identity = crypto::SigningIdentity::create(list.address, clock.now(), std::chrono::days(365));
  list.certificate = identity.certificate().der();
  list.certificateEnds = identity.certificate().notAfter();
  context.site.write([&](SiteTables& tables) {
    tables.domains.add({list.domain, "list", clock.now(), 0});
    list.id = tables.lists.add(list);
    MemberKey key;
    key.facts = {"", KeyState::Confirmed, Reason::ValidCertificate, clock.now() - std::chrono::days(1),
                 clock.now() + std::chrono::days(300)};
    key.recipientKey = recipientKey;
    key.certificate = std::string(1200, 'x');
    for (int i = 0; i < members; ++i) {
      Member member;
      member.listId = list.id;
      member.address = "member" + std::to_string(i) + "@example.org";
      key.address = member.address;
      key.facts.fingerprint = "f" + std::to_string(i);
      tables.keys.add(key);
      tables.members.add(member, {app::Protection::Smime, Reason::ValidCertificate, key.facts.fingerprint});
    }
  });
  context.keys.storeSigningKey(list.id, ListSigningKey, identity.exportPrivateKey());
}

app::Submission makePost(std::size_t kilobytes) {
  app::Submission submission;
  submission.mailFrom = "member0@example.org";
  submission.recipients = {"board@lists.example"};
  submission.receivedAt = SystemClock().now();
  submission.queueId = "bench";
  submission.content =
      "From: member0@example.org\r\nTo: board@lists.example\r\nSubject: bench\r\nDate: Sun, 01 Mar 2026 "
      "12:00:00 +0000\r\nMessage-ID: <1@bench>\r\n\r\n";
  while (submission.content.size() < kilobytes * 1024) submission.content.append(70, 'x').append("\r\n");
  return submission;
}

// Heads per second of one thread: the limit that sealing alone sets.
double rawWrapRate(const std::string& recipientKey) {
  const auto key = crypto::RecipientKey::decode(recipientKey);
  const auto body = seal::SharedBody::encrypt(std::string(20 * 1024, 'x'));
  const seal::SmimeSealer sealer;
  const auto start = cpuSeconds();
  constexpr int Heads = 20'000;
  for (int i = 0; i < Heads; ++i) sealer.head(body, key);
  return Heads / (cpuSeconds() - start);
}

}  // namespace

int main(int argc, char** argv) {
  const int members = argc > 1 ? std::atoi(argv[1]) : 10'000;
  const auto kilobytes = static_cast<std::size_t>(argc > 2 ? std::atoi(argv[2]) : 20);
  log::open("bench", "warning");
  const test::TempFolder folder;
  config::SiteConfig config;
  config.dataFolder = folder.path();
  config.minFreeSpace = 1 << 20;
  const SystemClock clock;
  const auto recipientKey = makeRecipientKey();
  makeSite(config, clock, members, recipientKey);
  CountingGateway gateway;
  files::makePrivateFolder(config.gatewaySocket().parent_path());
  app::GatewayLinkServer server(config.gatewaySocket().string(), gateway);
  const Listd listd(config, clock);
  while (!gateway.ready()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  const auto memoryBefore = peakMegabytes();
  const auto cpuBefore = cpuSeconds();
  const auto start = Steady::now();
  gateway.accept(makePost(kilobytes));
  while (!gateway.allSettled(static_cast<std::uint64_t>(members)))
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  const auto all = secondsSince(start);
  const auto cpu = cpuSeconds() - cpuBefore;
  const auto first = std::chrono::duration<double>(gateway.firstAt - start).count();
  const auto last = std::chrono::duration<double>(gateway.lastAt - start).count();
  const auto raw = rawWrapRate(recipientKey);
  std::cout << members << " members, " << kilobytes << " kB: first copy " << first * 1000 << " ms, last " << last * 1000
            << " ms, ledger complete " << all * 1000 << " ms\n"
            << "  " << members / last << " copies/s, " << cpu / members * 1e6 << " us CPU per copy (gateway stub and "
            << "ledger included); raw wrap " << raw << "/s = " << 1e6 / raw << " us\n"
            << "  peak memory " << peakMegabytes() << " MB (" << memoryBefore << " MB before the post)\n";
  return 0;
}
