#include "core/base/Files.h"
#include "gateway/SiteWatch.h"
#include "tests/support/FakeResolver.h"
#include "tests/support/TempFolder.h"

using namespace postern;
using namespace postern::gateway;

namespace {

const std::string Host = "mx.postern.dev";

struct World {
  test::FakeResolver dns;

  World() { dns.host(Host, {"192.0.2.7"}); }
  void spf(const std::string& domain, const std::string& record) {
    dns.txtAnswers[domain] = {net::DnsOutcome::Found, false, std::chrono::seconds(60), {record}, ""};
  }
  std::string rules(const std::vector<std::string>& domains) {
    std::string found;
    for (const auto& finding : lookAtDns(dns, Host, domains)) found += (found.empty() ? "" : " ") + finding.rule;
    return found;
  }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(gateway_SiteWatch, World)

BOOST_AUTO_TEST_CASE(a_domain_that_points_here_and_names_this_machine_is_well) {
  dns.mail("lists.dev", {{10, "other.dev"}, {20, Host}});
  spf("lists.dev", "v=spf1 a:" + Host + " -all");
  BOOST_TEST(rules({"lists.dev"}) == "");
}

BOOST_AUTO_TEST_CASE(mail_that_goes_elsewhere_and_spf_that_lacks_us_are_told_with_the_record_to_add) {
  dns.mail("lists.dev", {{10, "other.dev"}});
  spf("lists.dev", "v=spf1 ip4:192.0.2.99 -all");
  BOOST_TEST(rules({"lists.dev"}) == "dns.mx dns.spf");
  const auto found = lookAtDns(dns, Host, {"lists.dev"});
  BOOST_TEST(found[0].todo.find("lists.dev. MX 10 " + Host) != std::string::npos);
  BOOST_TEST(found[1].todo.find("v=spf1 a:" + Host) != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_dead_resolver_is_one_error_and_nothing_is_said_of_domains) {
  dns.addressAnswers[Host] = {net::DnsOutcome::Failed, false, {}, {}, "no answer within 30 s"};
  BOOST_TEST(rules({"lists.dev"}) == "resolver.dead");
  BOOST_TEST(lookAtDns(dns, Host, {})[0].severity == "error");
}

BOOST_AUTO_TEST_CASE(what_the_dns_cannot_say_now_is_no_finding) {
  dns.broken("lists.dev");
  dns.txtAnswers["lists.dev"] = {net::DnsOutcome::Failed, false, {}, {}, "SERVFAIL"};
  BOOST_TEST(rules({"lists.dev"}) == "");
}

BOOST_AUTO_TEST_CASE(a_host_name_without_an_address_is_told) {
  dns.addressAnswers.clear();
  BOOST_TEST(rules({}) == "dns.host");
}

BOOST_AUTO_TEST_CASE(names_for_tests_are_passed_over) {
  BOOST_TEST(rules({"lists.example", "a.test", "b.example.org", "lan"}) == "");
  BOOST_TEST(lookAtDns(dns, "mx.lists.example", {"lists.dev"}).empty());
}

BOOST_AUTO_TEST_CASE(a_certificate_that_cannot_be_read_is_an_error) {
  const test::TempFolder folder;
  config::SiteConfig config;
  config.dataFolder = folder.path();
  config.certificate = "cert.pem";
  BOOST_TEST(lookAtCertificate(config, TimePoint())[0].rule == "certificate.broken");
  files::replaceDurably(folder / "cert.pem", "no certificate");
  BOOST_TEST(lookAtCertificate(config, TimePoint())[0].rule == "certificate.broken");
}

BOOST_AUTO_TEST_SUITE_END()
