#include "tests/support/DowngradeWorld.h"

#include <functional>

// Attack: downgrade of TLS in every state. Each state of what a domain publishes meets each state of its mail server;
// the table says which copies leave. Real name server and signatures, real TLS, real HTTPS.

using namespace postern;
using namespace postern::test;
using Outcome = app::DeliveryEvent::Outcome;

namespace {

enum class Demand { Nothing, Encryption, Proof, Impossible };  // of a copy that needs no TLS itself

struct DomainState {
  const char* name;
  const char* domain;
  const char* proof;  // how a copy that needs verified TLS leaves to the right server; empty: it waits
  Demand demand;
  std::function<void(DowngradeWorld&)> publish;
  std::function<void(DowngradeWorld&)> later = {};  // once the policy is known
};

struct ServerState {
  const char* name;
  bool right;      // the certificate that the domain means, over TLS 1.2 or later
  bool encrypted;  // TLS of some kind can stand
  std::function<void(DowngradeWorld&, const TlsTestCertificates::Server&, const std::string& host)> set;
};

std::vector<ServerState> serverStates() {
  using World = DowngradeWorld;
  using Server = TlsTestCertificates::Server;
  return {
      {"right", true, true, [](World&, const Server&, const std::string&) {}},
      {"TLS 1.2", true, true,
       [](World& w, const Server&, const std::string&) { w.server.sink.maxTlsVersion = TLS1_2_VERSION; }},
      {"STARTTLS stripped", false, false,
       [](World& w, const Server&, const std::string&) { w.server.sink.certificate.reset(); }},
      {"STARTTLS refused", false, false,
       [](World& w, const Server&, const std::string&) { w.server.refusesStartTls = true; }},
      {"wrong host", false, true,
       [](World& w, const Server&, const std::string&) {
         w.server.sink.certificate = w.certificates.server("mx.evil.test");
       }},
      {"expired", false, true,
       [](World& w, const Server&, const std::string& host) {
         w.server.sink.certificate = w.certificates.expired(host);
       }},
      {"self-signed", false, true,
       [](World& w, const Server&, const std::string& host) {
         w.server.sink.certificate = w.certificates.selfSigned(host);
       }},
      {"TLS 1.0", false, false,
       [](World& w, const Server&, const std::string&) { w.server.sink.maxTlsVersion = TLS1_VERSION; }},
      {"TLS 1.1", false, false,
       [](World& w, const Server&, const std::string&) { w.server.sink.maxTlsVersion = TLS1_1_VERSION; }},
  };
}

void publishTlsa(DowngradeWorld& w, const std::string& numbers, const std::string& data) {
  w.signedRecords += tlsa(w.port, "mx", numbers, data);
}
void publishRight(DowngradeWorld& w) {
  publishTlsa(w, "3 1 1", w.keyDigest(*w.server.sink.certificate));
}
const std::string Wrong(32, 'x');

void blockHttps(DowngradeWorld& w) {
  {
    const std::lock_guard lock(w.httpsMutex);
    w.httpsDown = true;
  }
  w.policyClock.advance(std::chrono::hours(23));
}

std::vector<DomainState> mtaStsStates() {
  using World = DowngradeWorld;
  const auto announce = [](const char* mode, const char* mx) { return [=](World& w) { w.announce(mode, mx); }; };
  return {
      {"nothing published", "plain.test", "", Demand::Nothing, [](World&) {}},
      {"MTA-STS none", "plain.test", "", Demand::Nothing, announce("none", "mx.other.test")},
      {"MTA-STS testing", "plain.test", "", Demand::Nothing, announce("testing", "mx.other.test")},
      {"MTA-STS testing, other MX", "plain.test", "", Demand::Nothing, announce("testing", "mx.elsewhere.test")},
      {"MTA-STS enforce", "plain.test", "mta-sts", Demand::Proof, announce("enforce", "mx.other.test")},
      {"MTA-STS enforce, wildcard", "plain.test", "mta-sts", Demand::Proof, announce("enforce", "*.other.test")},
      {"MTA-STS enforce, other MX", "plain.test", "", Demand::Impossible, announce("enforce", "mx.elsewhere.test")},
      {"MTA-STS enforce, HTTPS blocked later", "plain.test", "mta-sts", Demand::Proof,
       announce("enforce", "mx.other.test"), blockHttps},
      {"MTA-STS enforce, max_age over", "plain.test", "", Demand::Nothing, announce("enforce", "mx.other.test"),
       [](World& w) {
         blockHttps(w);
         w.policyClock.advance(std::chrono::hours(2));
       }},
      {"MTA-STS from an unproven host", "plain.test", "", Demand::Nothing,
       [](World& w) {
         w.announce("enforce", "mx.other.test");
         w.httpsCertificate = w.certificates.server("mta-sts.evil.test");
       }},
      {"MTA-STS from the start behind blocked HTTPS", "plain.test", "", Demand::Nothing,
       [](World& w) {
         w.announce("enforce", "mx.other.test");
         w.httpsDown = true;
       }},
  };
}

std::vector<DomainState> daneStates() {
  using World = DowngradeWorld;
  return {
      {"signed, the absence of TLSA proven", "signed.test", "verified", Demand::Nothing, [](World&) {}},
      {"signed, the absence of TLSA unproven", "signed.test", "", Demand::Impossible,
       [](World& w) { w.forge = "/NSEC3/d"; }},
      {"DANE right", "signed.test", "dane", Demand::Proof, publishRight},
      {"DANE right beside a wrong one", "signed.test", "dane", Demand::Proof,
       [](World& w) {
         publishRight(w);
         publishTlsa(w, "3 1 1", Wrong);
       }},
      {"DANE wrong", "signed.test", "", Demand::Impossible, [](World& w) { publishTlsa(w, "3 1 1", Wrong); }},
      {"DANE not usable", "signed.test", "verified", Demand::Encryption,
       [](World& w) { publishTlsa(w, "3 1 9", Wrong); }},
      {"DANE forged", "signed.test", "", Demand::Impossible,
       [](World& w) {
         publishTlsa(w, "3 1 1", Wrong);
         w.forge = "s/" + crypto::hex(Wrong) + "/" + crypto::hex(w.keyDigest(*w.server.sink.certificate)) + "/";
       }},
      {"DANE right, signatures expired", "signed.test", "", Demand::Impossible,
       [](World& w) {
         publishRight(w);
         w.signOptions = "-i 20200101 -e 20200201";
       }},
      {"DANE in an unsigned zone", "plain.test", "", Demand::Nothing,
       [](World& w) { w.otherRecords += tlsa(w.port, "mx", "3 1 1", w.keyDigest(*w.server.sink.certificate)); }},
      {"DANE wrong, MTA-STS enforce", "signed.test", "", Demand::Impossible,
       [](World& w) {
         w.announce("enforce", "mx.signed.test", "signed.test");
         publishTlsa(w, "3 1 1", Wrong);
       }},
      {"DANE right, MTA-STS enforce with another MX", "signed.test", "dane", Demand::Proof,
       [](World& w) {
         w.announce("enforce", "mx.elsewhere.test", "signed.test");
         publishRight(w);
       }},
      {"no DANE, MTA-STS enforce", "signed.test", "mta-sts", Demand::Proof,
       [](World& w) { w.announce("enforce", "mx.signed.test", "signed.test"); }},
  };
}

bool openCopyLeaves(Demand demand, const ServerState& server) {
  switch (demand) {
    case Demand::Nothing:
      return true;
    case Demand::Encryption:
      return server.encrypted;
    case Demand::Proof:
      return server.right;
    case Demand::Impossible:
      return false;
  }
  return false;
}

void tryAll(const DomainState& state) {
  DowngradeWorld world;
  const std::string host = state.domain == std::string("signed.test") ? "mx.signed.test" : "mx.other.test";
  const auto right = world.certificates.server(host);
  world.server.sink.certificate = right;
  world.server.sink.extensions.push_back("REQUIRETLS");
  state.publish(world);
  world.serveZone();
  if (state.later) {
    BOOST_REQUIRE(world.sts->find(state.domain).policy.has_value());
    state.later(world);
  }
  for (const auto& server : serverStates()) {
    world.server.sink.certificate = right;
    world.server.sink.maxTlsVersion = 0;
    world.server.refusesStartTls = false;
    server.set(world, right, host);
    BOOST_TEST_CONTEXT(state.name << " / " << server.name) {
      world.server.forget();
      const bool leaves = server.right && *state.proof != '\0';
      const auto event = world.attempt(state.domain);
      BOOST_TEST((event.outcome == (leaves ? Outcome::Delivered : Outcome::Deferred)), event.replyText);
      BOOST_TEST(world.server.heardMail() == leaves);
      if (leaves) {
        BOOST_TEST(event.tls.verification == state.proof);
        BOOST_TEST(world.server.sink.mails().back().tls);
        BOOST_TEST(world.server.sink.mails().back().mailFrom.ends_with(" REQUIRETLS"));
      } else {
        BOOST_TEST(!event.replyText.empty());
      }
      world.server.forget();
      const bool openLeaves = openCopyLeaves(state.demand, server);
      const auto open = world.attempt(state.domain, app::Protection::None);
      BOOST_TEST((open.outcome == (openLeaves ? Outcome::Delivered : Outcome::Deferred)), open.replyText);
      BOOST_TEST(world.server.heardMail() == openLeaves);
    }
  }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(gateway_deliver_EveryTlsState)

BOOST_AUTO_TEST_CASE(mta_sts_in_every_state_before_a_server_in_every_state) {
  for (const auto& state : mtaStsStates()) tryAll(state);
}

BOOST_AUTO_TEST_CASE(dane_in_every_state_before_a_server_in_every_state) {
  for (const auto& state : daneStates()) tryAll(state);
}

BOOST_AUTO_TEST_SUITE_END()
