#include "core/crypto/Digest.h"
#include "core/crypto/Encoding.h"
#include "gateway/deliver/Deliverer.h"
#include "gateway/deliver/DomainProber.h"
#include "tests/support/DialogPeer.h"
#include "tests/support/MemoryCopyQueue.h"
#include "tests/support/SignedZone.h"
#include "tests/support/TempFolder.h"

// Downgrades of TLS, tried with a real name server, real signatures and real TLS: what needs verified TLS waits, and
// not a byte of envelope or content leaves; beside each the same mail goes where it may.

using namespace postern;
using namespace postern::gateway;
using namespace postern::test;
using namespace std::chrono_literals;
using namespace std::string_literals;
using Outcome = app::DeliveryEvent::Outcome;
using Server = TlsTestCertificates::Server;

namespace {

const std::string Canary = "canary-7261";

std::string tlsa(std::uint16_t port, const std::string& host, const std::string& numbers, const std::string& data) {
  return "_" + std::to_string(port) + "._tcp." + host + " IN TLSA " + numbers + " " + crypto::hex(data) + "\n";
}

// A mail server that remembers every command it heard.
struct Listener {
  MailSink sink;
  std::mutex mutex;
  std::string heard;
  std::optional<DialogPeer> peer;

  Listener() {
    sink.reply = [this](const std::string& line) {
      const std::lock_guard lock(mutex);
      heard += line + "\n";
      return ""s;
    };
    peer.emplace(std::ref(sink));
  }
  bool heardMail() {
    const std::lock_guard lock(mutex);
    return heard.find("MAIL") != std::string::npos || heard.find("@") != std::string::npos ||
           heard.find(Canary) != std::string::npos || !sink.mails().empty();
  }
};

struct Fixture {
  TlsTestCertificates certificates;
  Listener server;
  const std::uint16_t port = server.peer->port();
  std::mutex httpsMutex;
  Server httpsCertificate = certificates.server("mta-sts.plain.test");
  std::string policy;
  DialogPeer https{[this](DialogSession& session) {
    Server certificate;
    std::string answer;
    {
      const std::lock_guard lock(httpsMutex);
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
  net::TlsClient tls{certificates.caFile()};
  net::CurlHttpsClient client{certificates.caFile()};
  std::string signedRecords = "@ IN MX 10 mx\nmx IN A 127.0.0.1\nmta-sts IN A 127.0.0.1\n";
  std::string plainRecords = "@ IN MX 10 mx.other.test.\nmta-sts IN A 127.0.0.1\n";
  std::string otherRecords = "mx IN A 127.0.0.1\n";
  std::string forge;
  std::vector<std::string> trusted;
  std::vector<std::string> distrusted;
  std::optional<SignedZone> zone;
  std::optional<net::UnboundResolver> resolver;
  std::optional<StsPolicies> sts;
  std::optional<Deliverer> deliverer;
  std::uint64_t lastKey = 0;

  DelivererOptions options() const {
    DelivererOptions options;
    options.client = {"gate.example", 3s, 3s};
    options.hops.hostName = "gate.example";
    options.hops.refuseOurselves = false;
    options.hops.port = port;
    options.schedule.firstRetry = options.schedule.maxRetry = 1h;
    options.linger = 20ms;
    options.stopGrace = 200ms;
    return options;
  }

  void serveZone() {
    zone.emplace(signedRecords, plainRecords, otherRecords, forge);
    resolver.emplace(zone->config());
    sts.emplace(StsPolicies::Options{folder / "mta-sts", https.port(), 5s}, *resolver, client, clock);
  }

  void announce(const std::string& mode, const std::string& mx, const std::string& domain = "plain.test") {
    (domain == "plain.test" ? plainRecords : signedRecords) += "_mta-sts IN TXT \"v=STSv1; id=1;\"\n";
    httpsCertificate = certificates.server("mta-sts." + domain);
    policy = "version: STSv1\nmode: " + mode + "\nmx: " + mx + "\nmax_age: 86400\n";
  }

  // One attempt to deliver a copy; what came of it.
  app::DeliveryEvent attempt(const std::string& domain, app::Protection protection = app::Protection::Tls) {
    if (!zone) serveZone();
    MemoryCopyQueue queue;
    deliverer.emplace(options(), queue, *resolver, tls, clock, &*sts);
    deliverer->setRoutes(RouteTable({}, trusted, distrusted));
    deliverer->start();
    CopySummary summary;
    summary.key = ++lastKey;
    summary.destination = domain;
    summary.queuedAt = clock.now();
    summary.expiresAt = clock.now() + 2h;
    LoadedCopy copy;
    copy.mailFrom = "board-bounces+1@lists.example";
    copy.recipient = "ann@" + domain;
    copy.head = "From: a@b\r\nSubject: party\r\n\r\n" + Canary + "\r\n";
    copy.tail = std::make_shared<const std::string>();
    summary.protection = copy.protection = summary.floor = copy.floor = protection;
    queue.put(summary, copy);
    BOOST_REQUIRE(queue.waitForEvents(1));
    deliverer.reset();
    return queue.events().back();
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

constexpr auto Open = app::Protection::None;

}  // namespace

BOOST_FIXTURE_TEST_SUITE(gateway_deliver_VerifiedTls, Fixture)

// ---- DANE ----

BOOST_AUTO_TEST_CASE(dane_ee_needs_neither_authority_nor_date_nor_name) {
  server.sink.certificate = certificates.selfSigned("whatever.example");
  signedRecords += tlsa(port, "mx", "3 1 1", keyDigest(*server.sink.certificate));
  leaves(attempt("signed.test"), "dane");
}

BOOST_AUTO_TEST_CASE(dane_ta_needs_the_name) {
  signedRecords += tlsa(port, "mx", "2 0 0", TlsTestCertificates::derOf(certificates.authority()));
  server.sink.certificate = certificates.server("mx.evil.test");
  waits(attempt("signed.test"), "ostname mismatch");
}

BOOST_AUTO_TEST_CASE(dane_ta_verifies_the_chain_to_its_anchor) {
  signedRecords += tlsa(port, "mx", "2 0 0", TlsTestCertificates::derOf(certificates.authority()));
  server.sink.certificate = certificates.server("mx.signed.test");
  leaves(attempt("signed.test"), "dane");
}

BOOST_AUTO_TEST_CASE(dane_that_does_not_match_beats_a_trusted_certificate_and_an_mta_sts_policy) {
  announce("enforce", "mx.signed.test", "signed.test");
  server.sink.certificate = certificates.server("mx.signed.test");
  signedRecords += tlsa(port, "mx", "3 1 1", std::string(32, 'x'));
  waits(attempt("signed.test"), "demanded by DANE");
  waits(attempt("signed.test", Open), "demanded by DANE");
}

BOOST_AUTO_TEST_CASE(without_its_tlsa_record_the_same_server_is_taken_under_mta_sts) {
  announce("enforce", "mx.signed.test", "signed.test");
  server.sink.certificate = certificates.server("mx.signed.test");
  leaves(attempt("signed.test"), "mta-sts");
}

BOOST_AUTO_TEST_CASE(a_tlsa_record_makes_tls_a_must_for_every_copy) {
  signedRecords += tlsa(port, "mx", "3 1 1", std::string(32, 'x'));
  waits(attempt("signed.test", Open), "does not offer STARTTLS");  // stripped
}

BOOST_AUTO_TEST_CASE(tlsa_records_that_cannot_be_used_still_demand_tls) {
  signedRecords += tlsa(port, "mx", "3 1 9", std::string(32, 'x')) + tlsa(port, "mx", "1 1 1", std::string(32, 'y'));
  waits(attempt("signed.test", Open), "does not offer STARTTLS");
  server.sink.certificate = certificates.selfSigned("mx.signed.test");
  waits(attempt("signed.test"), "self-signed");
  const auto event = attempt("signed.test", Open);
  BOOST_TEST((event.outcome == Outcome::Delivered));
  BOOST_TEST(event.tls.version == "TLSv1.3");
}

BOOST_AUTO_TEST_CASE(forged_tlsa_records_are_an_error_and_not_an_absence) {
  server.sink.certificate = certificates.server("mx.signed.test");
  const auto digest = keyDigest(*server.sink.certificate);
  signedRecords += tlsa(port, "mx", "3 1 1", digest);
  forge = "s/" + crypto::hex(digest) + "/" + std::string(64, '0') + "/";
  waits(attempt("signed.test"), "cannot be validated");
  waits(attempt("signed.test", Open), "cannot be validated");
}

BOOST_AUTO_TEST_CASE(a_forged_mx_record_leads_nowhere) {
  server.sink.certificate = certificates.server("mx.signed.test");
  forge = "s/10 mx\\.signed\\.test\\./10 mx.other.test./";
  waits(attempt("signed.test"), "DNSSEC");
}

BOOST_AUTO_TEST_CASE(tlsa_records_of_an_unsigned_zone_prove_nothing) {
  server.sink.certificate = certificates.selfSigned("mx.other.test");
  otherRecords += tlsa(port, "mx", "3 1 1", keyDigest(*server.sink.certificate));
  waits(attempt("plain.test"), "self-signed");
}

BOOST_AUTO_TEST_CASE(a_signed_mx_record_proves_its_hosts_name_to_an_authority) {
  server.sink.certificate = certificates.server("mx.signed.test");
  leaves(attempt("signed.test"), "verified");
}

// ---- MTA-STS ----

BOOST_AUTO_TEST_CASE(a_certificate_for_an_unproven_host_name_is_not_enough) {
  server.sink.certificate = certificates.server("mx.other.test");
  waits(attempt("plain.test"), "ostname mismatch");
  trusted = {"plain.test"};
  leaves(attempt("plain.test"), "verified");
}

BOOST_AUTO_TEST_CASE(an_enforced_policy_proves_the_host_name) {
  announce("enforce", "mx.other.test");
  server.sink.certificate = certificates.server("mx.other.test");
  leaves(attempt("plain.test"), "mta-sts");
}

BOOST_AUTO_TEST_CASE(a_policy_that_is_tested_proves_and_demands_nothing) {
  announce("testing", "mx.elsewhere.test");
  server.sink.certificate = certificates.server("mx.other.test");
  waits(attempt("plain.test"), "ostname mismatch");
  BOOST_TEST((attempt("plain.test", Open).outcome == Outcome::Delivered));
}

BOOST_AUTO_TEST_CASE(a_host_that_the_policy_does_not_name_gets_nothing) {
  announce("enforce", "*.plain.test");
  server.sink.certificate = certificates.server("mx.other.test");
  waits(attempt("plain.test", Open), "does not allow the mail server mx.other.test");
  trusted = {"plain.test"};
  waits(attempt("plain.test"), "does not allow the mail server mx.other.test");
}

BOOST_AUTO_TEST_CASE(an_enforced_policy_holds_every_copy_back_from_a_server_that_cannot_prove_itself) {
  announce("enforce", "mx.other.test");
  waits(attempt("plain.test", Open), "does not offer STARTTLS");
  server.sink.certificate = certificates.expired("mx.other.test");
  waits(attempt("plain.test", Open), "expired");
  server.sink.certificate = certificates.selfSigned("mx.other.test");
  waits(attempt("plain.test", Open), "self-signed");
  server.sink.certificate = certificates.server("mx.evil.test");
  waits(attempt("plain.test", Open), "ostname mismatch");
  server.sink.certificate = certificates.server("plain.test");  // RFC 8461 §4.1: the host's name, not the domain's
  waits(attempt("plain.test", Open), "ostname mismatch");
}

BOOST_AUTO_TEST_CASE(a_policy_from_a_host_that_cannot_prove_itself_is_none) {
  announce("enforce", "mx.other.test");
  httpsCertificate = certificates.server("mta-sts.evil.test");
  server.sink.certificate = certificates.server("mx.other.test");
  waits(attempt("plain.test"), "ostname mismatch");
}

// ---- old versions ----

BOOST_AUTO_TEST_CASE(a_server_that_knows_tls_1_0_or_1_1_only_gets_nothing_that_needs_tls) {
  announce("enforce", "mx.other.test");
  server.sink.certificate = certificates.server("mx.other.test");
  signedRecords += tlsa(port, "mx", "3 1 1", keyDigest(*server.sink.certificate));
  for (const int version : {TLS1_VERSION, TLS1_1_VERSION}) {
    server.sink.maxTlsVersion = version;
    for (const auto protection : {app::Protection::Tls, Open}) {
      waits(attempt("plain.test", protection), "TLS");
      waits(attempt("signed.test", protection), "TLS");
    }
  }
  server.sink.maxTlsVersion = TLS1_2_VERSION;
  const auto event = attempt("plain.test");
  leaves(event, "mta-sts");
  BOOST_TEST(event.tls.version == "TLSv1.2");
}

// ---- the site's word ----

BOOST_AUTO_TEST_CASE(where_the_site_says_that_tls_does_not_count_a_copy_that_needs_it_waits) {
  server.sink.certificate = certificates.server("mx.signed.test");
  distrusted = {"signed.test"};
  waits(attempt("signed.test"), "does not count");
  BOOST_TEST((attempt("signed.test", Open).outcome == Outcome::Delivered));
}

// ---- probing ----

BOOST_AUTO_TEST_CASE(a_probe_says_what_each_server_has_and_sends_no_mail) {
  server.sink.certificate = certificates.selfSigned("mx.signed.test");
  server.sink.extensions.push_back("REQUIRETLS");
  signedRecords += tlsa(port, "mx", "3 1 1", keyDigest(*server.sink.certificate));
  announce("enforce", "mx.other.test");
  serveZone();
  DomainProber prober(options().client, NextHopFinder(options().hops, *resolver, &*sts), tls, clock);
  auto probe = prober.probe("signed.test", true, 20s);
  BOOST_REQUIRE(probe.finished);
  BOOST_TEST((probe.verdict.means == app::TlsMeans::Dane));
  BOOST_TEST(probe.mxSecure);
  BOOST_REQUIRE(probe.hosts.size() == 1u);
  const auto& host = probe.hosts[0];
  BOOST_TEST(host.name == "mx.signed.test");
  BOOST_TEST(host.address == "127.0.0.1");
  BOOST_TEST(host.startTls);
  BOOST_TEST(host.requireTls);
  BOOST_TEST(host.version == "TLSv1.3");
  BOOST_TEST(host.subject == "/CN=mx.signed.test");
  BOOST_TEST(host.names.at(0) == "mx.signed.test");
  BOOST_TEST((host.notAfter > clock.now()));
  BOOST_TEST(host.chain == "self-signed certificate");
  BOOST_TEST(host.dane == "ok");
  BOOST_TEST(host.tlsa.at(0).starts_with("3 1 1 "));

  probe = prober.probe("plain.test", true, 20s);
  BOOST_REQUIRE(probe.finished);
  BOOST_TEST((probe.verdict.means == app::TlsMeans::None));
  BOOST_TEST(probe.verdict.problem.find("not verified") != std::string::npos);
  BOOST_TEST(probe.stsMode == "enforce");
  BOOST_TEST(probe.stsId == "1");
  BOOST_TEST(probe.hosts.at(0).sts == "ok");
  BOOST_TEST(probe.hosts.at(0).dane == "not signed");

  probe = prober.probe("nowhere.other.test", true, 20s);
  BOOST_REQUIRE(probe.finished);
  BOOST_TEST((probe.verdict.means == app::TlsMeans::None));
  BOOST_TEST(!probe.verdict.problem.empty());
  BOOST_TEST(!server.heardMail());
}

BOOST_AUTO_TEST_SUITE_END()
