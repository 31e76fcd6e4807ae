#include "tests/unit/gateway/deliver/DelivererFixture.h"

#include <future>

using namespace postern;
using namespace postern::gateway;
using namespace postern::test;
using namespace std::chrono_literals;
using namespace std::string_literals;
using Fixture = gateway::test::DelivererFixture;
using gateway::test::Canary;
using Outcome = app::DeliveryEvent::Outcome;
using Tls = app::Route::Tls;

namespace {

// Every line that a sink heard.
struct Heard {
  std::mutex mutex;
  std::string all;
  void operator()(const std::string& line) {
    const std::lock_guard lock(mutex);
    all += line + "\n";
  }
  bool has(const std::string& text) {
    const std::lock_guard lock(mutex);
    return all.find(text) != std::string::npos;
  }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(gateway_deliver_Deliverer, Fixture)

BOOST_AUTO_TEST_CASE(delivers_sealed_and_open_copies_and_records_what_the_server_said) {
  MailSink sink;
  sink.certificate = certificates.server("mx.example");
  DialogPeer peer(std::ref(sink));
  route("*", peer, Tls::Opportunistic, "mx.example");
  const auto sealed = sealedTo("one.example");
  put(sealed);
  put(copyTo("two.example"));
  start();
  BOOST_REQUIRE(queue.waitForEvents(2));
  const auto event = eventOf(1, Outcome::Delivered);
  BOOST_TEST(event.attempt == 1u);
  BOOST_TEST(event.replyCode == 250);
  BOOST_TEST(event.replyText == "2.0.0 taken");
  BOOST_TEST(event.remoteHost == "mx.example");
  BOOST_TEST(event.remoteAddress == "127.0.0.1");
  BOOST_TEST(event.tls.version == "TLSv1.3");
  BOOST_TEST(event.tls.verification == "verified");
  bool found = false;
  for (const auto& mail : sink.mails()) found = found || mail.content == sealed.second.head + *sealed.second.tail;
  BOOST_TEST(found);
}

BOOST_AUTO_TEST_CASE(a_copy_below_its_floor_is_blocked_and_nothing_of_it_leaves) {
  MailSink sink;
  Heard heard;
  sink.reply = [&](const std::string& line) {
    heard(line);
    return ""s;
  };
  DialogPeer peer(std::ref(sink));
  route("*", peer);
  auto swapped = sealedTo("x.example");
  swapped.second.head = "From: a@b\r\nSubject: [...]\r\n\r\n" + Canary + "\r\n";
  swapped.second.tail = std::make_shared<const std::string>();
  put(swapped);
  auto lowered = copyTo("x.example");
  lowered.first.floor = lowered.second.floor = app::Protection::Smime;
  put(lowered);
  put(copyTo("x.example"));
  start();
  BOOST_REQUIRE(queue.waitForEvents(3));
  BOOST_TEST(eventOf(1, Outcome::Blocked).replyText.find("floor") != std::string::npos);
  eventOf(2, Outcome::Blocked);
  eventOf(3, Outcome::Delivered);
  BOOST_TEST(!heard.has("r1@"));
  BOOST_TEST(!heard.has("r2@"));
  BOOST_TEST(sink.mails().size() == 1u);
  BOOST_TEST(deliverer->counts().blocked == 2u);
  BOOST_TEST(!deliverer->problems().empty());
}

BOOST_AUTO_TEST_CASE(a_copy_that_needs_verified_tls_waits_and_says_nothing) {
  const std::optional<TlsTestCertificates::Server> bad[] = {std::nullopt, certificates.selfSigned("mx.example"),
                                                            certificates.server("evil.example"),
                                                            certificates.expired("mx.example")};
  for (const auto& certificate : bad) {
    Fixture fresh;
    MailSink sink;
    Heard heard;
    sink.certificate = certificate;
    sink.reply = [&](const std::string& line) {
      heard(line);
      return ""s;
    };
    DialogPeer peer(std::ref(sink));
    fresh.route("*", peer, Tls::Opportunistic, "mx.example");
    auto copy = fresh.copyTo("x.example");
    copy.first.protection = copy.second.protection = copy.first.floor = copy.second.floor = app::Protection::Tls;
    fresh.put(copy);
    fresh.put(fresh.sealedTo("x.example"));
    fresh.start();
    BOOST_REQUIRE(fresh.queue.waitForFinished(1));
    BOOST_REQUIRE(fresh.queue.waitForEvents(4));
    fresh.deliverer.reset();
    BOOST_TEST(!heard.has("r1@"));
    BOOST_TEST(!heard.has("social-bounces+1@lists.example>\nRCPT TO:<r1"));
    BOOST_TEST(sink.mails().size() == 1u);  // the sealed one needs no TLS
    for (const auto& event : fresh.queue.events())
      if (event.copyKey == 1) {
        BOOST_TEST((event.outcome == Outcome::Deferred));
        BOOST_TEST(!event.replyText.empty());
      }
  }
}

BOOST_AUTO_TEST_CASE(a_verified_route_is_never_downgraded) {
  MailSink sink;
  sink.certificate = certificates.selfSigned("mx.example");
  DialogPeer peer(std::ref(sink));
  route("*", peer, Tls::Verified, "mx.example");
  put(copyTo("x.example"));
  start();
  BOOST_REQUIRE(queue.waitForEvents(2));
  BOOST_TEST((queue.events()[0].outcome == Outcome::Deferred));
  BOOST_TEST(queue.events()[0].replyText.find("not verified") != std::string::npos);
  BOOST_TEST(queue.events()[1].attempt == 2u);
  BOOST_TEST(sink.mails().empty());
}

BOOST_AUTO_TEST_CASE(opportunistic_delivery_survives_broken_tls) {
  std::atomic<int> count{0};
  MailSink plain;
  DialogPeer peer([&](DialogSession& session) {
    if (++count > 1) return plain(session);
    session.send("220 hi\r\n");
    session.line();
    session.send("250-sink\r\n250 STARTTLS\r\n");
    session.line();
    session.send("220 go\r\n");
    session.more();
    session.send("no TLS here\r\n");
  });
  route("*", peer);
  put(copyTo("x.example"));
  start();
  BOOST_REQUIRE(queue.waitForEvents(1));
  BOOST_TEST(eventOf(1, Outcome::Delivered).tls.version == "");
}

BOOST_AUTO_TEST_CASE(defers_on_4xx_fails_on_5xx_and_goes_on_with_the_connection) {
  MailSink sink;
  sink.reply = [](const std::string& line) {
    if (line == "RCPT TO:<r1@x.example>") return "450 4.2.0 greylisted\r\n"s;
    if (line == "RCPT TO:<r2@x.example>") return "550 5.1.1 unknown\r\n"s;
    return ""s;
  };
  DialogPeer peer(std::ref(sink));
  route("*", peer);
  queue.putAll({copyTo("x.example"), copyTo("x.example"), copyTo("x.example")});
  start();
  BOOST_REQUIRE(queue.waitForEvents(4));  // the first again and again
  const auto deferred = eventOf(1, Outcome::Deferred);
  BOOST_TEST(deferred.replyCode == 450);
  BOOST_TEST((deferred.nextAttempt > deferred.at));
  BOOST_TEST(eventOf(2, Outcome::Failed).replyText == "5.1.1 unknown");
  eventOf(3, Outcome::Delivered);
}

BOOST_AUTO_TEST_CASE(reuses_a_connection_and_replaces_one_that_the_server_ends) {
  for (const bool pipelining : {true, false}) {
    Fixture fresh;
    std::atomic<int> mails{0};
    MailSink sink;
    if (!pipelining) sink.extensions = {};
    sink.reply = [&](const std::string& line) {
      if (line.starts_with("MAIL") && ++mails % 10 == 0) return "close"s;
      return ""s;
    };
    DialogPeer peer(std::ref(sink));
    fresh.route("*", peer);
    fresh.options.schedule.connectionsPerLane = 1;
    std::vector<std::pair<CopySummary, LoadedCopy>> copies;
    for (int i = 0; i < 50; ++i) copies.push_back(fresh.copyTo("x.example"));
    fresh.queue.putAll(copies);
    fresh.start();
    BOOST_REQUIRE(fresh.queue.waitForFinished(50));
    for (const auto& event : fresh.queue.events()) BOOST_TEST((event.outcome == Outcome::Delivered));
    BOOST_TEST(sink.mails().size() == 50u);
    BOOST_TEST(peer.connections() <= 8);
  }
}

BOOST_AUTO_TEST_CASE(keeps_to_the_connections_per_destination) {
  std::atomic<int> open{0};
  std::atomic<int> most{0};
  MailSink sink;
  sink.beforeFinalReply = [&] {
    pollfd none{-1, 0, 0};
    ::poll(&none, 1, 5);
  };
  DialogPeer peer([&](DialogSession& session) {
    const int now = ++open;
    int seen = most;
    while (now > seen && !most.compare_exchange_weak(seen, now)) continue;
    sink(session);
    --open;
  });
  route("*", peer);
  options.schedule.connectionsPerLane = 3;
  std::vector<std::pair<CopySummary, LoadedCopy>> copies;
  for (int i = 0; i < 200; ++i) copies.push_back(copyTo("d" + std::to_string(i % 20) + ".example"));
  queue.putAll(copies);
  start();
  BOOST_REQUIRE(queue.waitForFinished(200));
  BOOST_TEST(most.load() >= 2);
  BOOST_TEST(most.load() <= 3);
}

BOOST_AUTO_TEST_CASE(a_dead_or_slow_destination_does_not_delay_another) {
  DialogPeer slow([](DialogSession& session) { session.hang(); });
  MailSink sink;
  DialogPeer fast(std::ref(sink));
  for (int i = 0; i < 10; ++i) route("slow" + std::to_string(i), slow, static_cast<Tls>(i % 2));
  route("*", fast);
  std::vector<std::pair<CopySummary, LoadedCopy>> copies;
  for (int i = 0; i < 500; ++i) copies.push_back(copyTo("slow" + std::to_string(i % 10)));
  queue.putAll(copies);
  options.client.replyTimeout = 60s;
  start();
  const auto begin = std::chrono::steady_clock::now();
  copies.clear();
  for (int i = 0; i < 100; ++i) copies.push_back(copyTo("fast.example"));
  queue.putAll(copies);
  BOOST_TEST(sink.waitFor(100));
  BOOST_TEST((std::chrono::steady_clock::now() - begin < 5s));
  deliverer.reset();  // and stopping does not wait for the slow
  BOOST_TEST((std::chrono::steady_clock::now() - begin < 8s));
}

BOOST_AUTO_TEST_CASE(a_name_server_that_hangs_does_not_delay_other_destinations) {
  std::promise<void> release;
  const auto released = release.get_future().share();
  resolver.before = [&](const std::string& name) {
    if (name.starts_with("hangs")) released.wait_for(30s);
  };
  MailSink sink;
  DialogPeer peer(std::ref(sink));
  options.hops.port = peer.port();
  resolver.mail("quick.example", {{10, "mx.quick.example"}}).host("mx.quick.example", {"127.0.0.1"});
  std::vector<std::pair<CopySummary, LoadedCopy>> copies;
  for (int i = 0; i < 200; ++i) copies.push_back(copyTo("hangs" + std::to_string(i % 20) + ".example"));
  for (const auto& copy : copies) put(copy);
  put(copyTo("quick.example"));
  start();
  BOOST_TEST(sink.waitFor(1, 10s));
  BOOST_TEST(queue.events().size() <= 1u);  // the others still wait for their answer
  release.set_value();
  deliverer.reset();
}

BOOST_AUTO_TEST_CASE(finds_servers_by_mx_and_tries_the_next) {
  MailSink sink;
  DialogPeer peer(std::ref(sink));
  options.hops.port = peer.port();
  resolver.mail("x.example", {{10, "dead.x.example"}, {20, "mx.x.example"}});
  resolver.host("dead.x.example", {"127.0.0.2"}).host("mx.x.example", {"127.0.0.1"});
  resolver.mail("null.example", {{0, ""}});
  resolver.broken("later.example");
  resolver.mail("us.example", {{10, "gate.example"}, {20, "mx.x.example"}});
  for (const auto& domain : {"x.example", "null.example", "gone.example", "later.example", "us.example"})
    put(copyTo(domain));
  start();
  BOOST_REQUIRE(queue.waitForFinished(4));
  BOOST_REQUIRE(queue.waitForEvents(5));
  BOOST_TEST(eventOf(1, Outcome::Delivered).remoteHost == "mx.x.example");
  BOOST_TEST(eventOf(2, Outcome::Failed).replyText.find("5.1.10") == 0u);
  BOOST_TEST(eventOf(3, Outcome::Failed).replyText.find("5.1.2") == 0u);
  BOOST_TEST(eventOf(4, Outcome::Deferred).replyText.find("SERVFAIL") != std::string::npos);
  BOOST_TEST(eventOf(5, Outcome::Failed).replyText.find("5.4.6") == 0u);
}

BOOST_AUTO_TEST_CASE(never_delivers_to_ourselves) {
  options.hops.refuseOurselves = true;
  resolver.mail("x.example", {{10, "mx.x.example"}}).host("mx.x.example", {"127.0.0.1", "::1"});
  put(copyTo("x.example"));
  put(copyTo("[127.0.0.1]"));
  MailSink sink;
  sink.reply = [](const std::string& line) { return line.starts_with("EHLO") ? "250 gate.example\r\n"s : ""s; };
  DialogPeer peer(std::ref(sink));
  route("loop.example", peer);
  put(copyTo("loop.example"));
  start();
  BOOST_REQUIRE(queue.waitForEvents(3));
  eventOf(1, Outcome::Failed);
  eventOf(2, Outcome::Failed);
  BOOST_TEST(eventOf(3, Outcome::Deferred).replyText.find("our own name") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(waits_while_the_queue_is_locked_or_broken) {
  MailSink sink;
  DialogPeer peer(std::ref(sink));
  route("*", peer);
  queue.setLocked(true);
  put(copyTo("x.example"));
  start();
  BOOST_TEST(!sink.waitFor(1, 200ms));
  queue.setLocked(false);
  BOOST_TEST(sink.waitFor(1));
  queue.setHealthy(false);
  put(copyTo("x.example"));
  BOOST_TEST(!sink.waitFor(2, 200ms));
  BOOST_TEST(!deliverer->problems().empty());
  queue.setHealthy(true);
  BOOST_TEST(sink.waitFor(2));
  BOOST_REQUIRE(queue.waitForEvents(2));
  BOOST_TEST(queue.events().size() == 2u);
}

BOOST_AUTO_TEST_CASE(what_must_not_be_on_a_wire_fails_before_any_byte) {
  MailSink sink;
  DialogPeer peer(std::ref(sink));
  route("*", peer);
  for (const auto& bytes : {"Subject: a\r\n\r\nx\n.\nMAIL FROM:<evil@x>\r\n"s, "Subject: a\r\n\r\nx\r.\r\n"s,
                            "Subject: a\r\n\r\nx\0\r\n"s}) {
    auto inHead = copyTo("x.example");
    inHead.second.head = bytes;
    put(inHead);
    auto inTail = copyTo("x.example");
    inTail.second.tail = std::make_shared<const std::string>(bytes);
    put(inTail);
  }
  start();
  BOOST_REQUIRE(queue.waitForEvents(6));
  for (const auto& event : queue.events()) {
    BOOST_TEST((event.outcome == Outcome::Failed));
    BOOST_TEST(event.replyText.find("internal error") != std::string::npos);
  }
  BOOST_TEST(peer.connections() == 0);
}

BOOST_AUTO_TEST_CASE(expires_what_cannot_be_delivered_in_time) {
  DialogPeer peer([](DialogSession& session) { session.send("421 busy\r\n"); });
  route("*", peer);
  auto copy = copyTo("x.example");
  copy.first.expiresAt = clock.now() + 600ms;
  put(copy);
  start();
  BOOST_REQUIRE(queue.waitForFinished(1));
  BOOST_TEST(eventOf(1, Outcome::Deferred).replyCode == 421);
  eventOf(1, Outcome::Expired);
}

BOOST_AUTO_TEST_CASE(a_copy_broken_off_by_stopping_stays_in_the_queue_without_an_event) {
  std::atomic<bool> reached{false};
  MailSink sink;
  sink.reply = [&](const std::string& line) {
    if (line == ".") {
      reached = true;
      pollfd none{-1, 0, 0};
      ::poll(&none, 1, 1000);
      return "close"s;
    }
    return ""s;
  };
  DialogPeer peer(std::ref(sink));
  route("*", peer);
  put(copyTo("x.example"));
  start();
  while (!reached) std::this_thread::yield();
  deliverer.reset();
  BOOST_TEST(queue.events().empty());
  BOOST_TEST(queue.load(1).has_value());
}

BOOST_AUTO_TEST_SUITE_END()
