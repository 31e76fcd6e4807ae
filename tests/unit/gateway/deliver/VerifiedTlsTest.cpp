#include "gateway/deliver/DomainProber.h"
#include "tests/support/DowngradeWorld.h"

// Downgrades of TLS, tried with a real name server, real signatures and real TLS: what needs verified TLS waits, and
// not a byte of envelope or content leaves; beside each the same mail goes where it may.

using namespace postern;
using namespace postern::gateway;
using namespace postern::test;
using namespace std::chrono_literals;
using Outcome = app::DeliveryEvent::Outcome;

namespace {

constexpr auto Open = app::Protection::None;

}  // namespace

BOOST_FIXTURE_TEST_SUITE(gateway_deliver_VerifiedTls, DowngradeWorld)

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

// ---- what only the connection protects asks for the same on its further way (RFC 8689) ----

BOOST_AUTO_TEST_CASE(a_copy_that_needs_verified_tls_asks_a_server_that_offers_it_to_require_tls) {
  server.sink.certificate = certificates.server("mx.signed.test");
  server.sink.extensions.push_back("REQUIRETLS");
  leaves(attempt("signed.test"), "verified");
  BOOST_TEST(server.sink.mails().at(0).mailFrom.ends_with(" REQUIRETLS"), server.sink.mails().at(0).mailFrom);
  BOOST_TEST((attempt("signed.test", Open).outcome == Outcome::Delivered));
  BOOST_TEST(server.sink.mails().at(1).mailFrom.find("REQUIRETLS") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_server_that_does_not_offer_to_require_tls_is_not_asked) {
  server.sink.certificate = certificates.server("mx.signed.test");
  leaves(attempt("signed.test"), "verified");
  BOOST_TEST(server.sink.mails().at(0).mailFrom.find("REQUIRETLS") == std::string::npos);
}

// ---- what the sender asks of TLS (RFC 8689) ----

BOOST_AUTO_TEST_CASE(requiretls_goes_to_verified_servers_that_promise_it_and_to_no_other) {
  server.sink.certificate = certificates.server("mx.signed.test");
  for (const auto protection : {Open, app::Protection::Tls}) {
    server.sink.extensions.clear();
    server.forget();
    const auto event = attempt("signed.test", protection, app::TlsAsk::Require);
    BOOST_TEST((event.outcome == Outcome::Failed), event.replyText);
    BOOST_TEST(event.replyText.starts_with("5.7.30 "), event.replyText);
    BOOST_TEST(!server.heardMail());
    server.sink.extensions.push_back("REQUIRETLS");
    leaves(attempt("signed.test", protection, app::TlsAsk::Require), "verified");
    BOOST_TEST(server.sink.mails().back().mailFrom.ends_with(" REQUIRETLS"));
  }
}

BOOST_AUTO_TEST_CASE(requiretls_waits_for_a_server_that_cannot_prove_itself_whatever_it_promises) {
  server.sink.extensions.push_back("REQUIRETLS");
  waits(attempt("signed.test", Open, app::TlsAsk::Require), "demanded by the sender (REQUIRETLS)");  // no STARTTLS
  server.sink.certificate = certificates.selfSigned("mx.signed.test");
  waits(attempt("signed.test", Open, app::TlsAsk::Require), "demanded by the sender (REQUIRETLS)");
}

BOOST_AUTO_TEST_CASE(requiretls_of_a_sealed_copy_does_not_mind_that_tls_is_no_protection_for_the_site) {
  server.sink.certificate = certificates.server("mx.signed.test");
  server.sink.extensions.push_back("REQUIRETLS");
  distrusted = {"signed.test"};
  leaves(attempt("signed.test", Open, app::TlsAsk::Require), "verified");
  server.forget();
  waits(attempt("signed.test", app::Protection::Tls, app::TlsAsk::Require), "does not count");
}

BOOST_AUTO_TEST_CASE(a_waiver_passes_over_what_the_domain_demands_and_never_over_the_protection_of_a_copy) {
  announce("enforce", "mx.elsewhere.test", "signed.test");
  signedRecords += tlsa(port, "mx", "3 1 1", std::string(32, 'x'));
  waits(attempt("signed.test", app::Protection::Tls, app::TlsAsk::Waive), "");
  waits(attempt("signed.test", Open), "");
  const auto event = attempt("signed.test", Open, app::TlsAsk::Waive);
  BOOST_TEST((event.outcome == Outcome::Delivered), event.replyText);
  server.sink.certificate = certificates.selfSigned("mx.signed.test");  // TLS of any kind is still better than none
  BOOST_TEST(attempt("signed.test", Open, app::TlsAsk::Waive).tls.version == "TLSv1.3");
}

// ---- what is counted for the reports on TLS (RFC 8460) ----

BOOST_AUTO_TEST_CASE(sessions_are_counted_by_the_policy_of_the_domain_with_the_kind_of_failure) {
  announce("enforce", "mx.other.test");
  server.sink.certificate = certificates.server("mx.other.test");
  attempt("plain.test");
  BOOST_TEST(told("plain.test") == "sts 1/0");
  server.sink.certificate = certificates.expired("mx.other.test");
  attempt("plain.test");
  server.sink.certificate = certificates.server("mx.evil.test");
  attempt("plain.test");
  server.sink.certificate = certificates.selfSigned("mx.other.test");
  attempt("plain.test");
  server.sink.certificate.reset();
  attempt("plain.test");
  BOOST_TEST(told("plain.test") ==
             "sts 1/4 certificate-expired certificate-host-mismatch certificate-not-trusted starttls-not-supported");
}

BOOST_AUTO_TEST_CASE(sessions_under_dane_are_counted_and_so_is_what_dnssec_stopped) {
  server.sink.certificate = certificates.server("mx.signed.test");
  signedRecords += tlsa(port, "mx", "3 1 1", keyDigest(*server.sink.certificate));
  attempt("signed.test");
  BOOST_TEST(told("signed.test") == "tlsa 1/0");
  server.sink.certificate = certificates.server("mx.signed.test");
  attempt("signed.test");
  BOOST_TEST(told("signed.test") == "tlsa 1/1 validation-failure");
}

BOOST_AUTO_TEST_CASE(forged_tlsa_records_are_counted_as_a_failure_of_dnssec) {
  server.sink.certificate = certificates.server("mx.signed.test");
  const auto digest = keyDigest(*server.sink.certificate);
  signedRecords += tlsa(port, "mx", "3 1 1", digest);
  forge = "s/" + crypto::hex(digest) + "/" + std::string(64, '0') + "/";
  attempt("signed.test", Open);
  BOOST_TEST(told("signed.test") == "tlsa 0/1 dnssec-invalid");
}

BOOST_AUTO_TEST_CASE(a_policy_that_is_only_tested_is_what_reports_are_for) {
  announce("testing", "mx.other.test");
  server.sink.certificate = certificates.server("mx.other.test");
  attempt("plain.test", Open);
  BOOST_TEST(told("plain.test") == "sts 1/0");
  server.sink.certificate = certificates.expired("mx.other.test");
  BOOST_TEST((attempt("plain.test", Open).outcome == Outcome::Delivered));
  BOOST_TEST(told("plain.test") == "sts 1/1 certificate-expired");
}

BOOST_AUTO_TEST_CASE(without_a_policy_it_counts_whether_there_was_tls) {
  server.sink.certificate = certificates.selfSigned("mx.other.test");
  attempt("plain.test", Open);
  server.sink.certificate.reset();
  attempt("plain.test", Open);
  BOOST_TEST(told("plain.test") == "no-policy-found 1/1 starttls-not-supported");
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
