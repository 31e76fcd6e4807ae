// Recipients of domain mail in own and in trusted domains: directly means by verified TLS, and never less.
#include "listd/plan/MemberFacts.h"
#include "tests/unit/listd/ListdFixture.h"

using namespace postern;
using namespace postern::listd;
using namespace postern::test;
using app::Protection;

namespace {

struct Fixture {
  TempFolder folder;
  config::SiteConfig config = siteConfig(folder.path());
  SystemClock clock;
  SiteContext context{config, clock};
  const std::vector<std::string> own{"example.org"};
  LadderRules rules;

  Fixture() {
    rules.secure = true;
    rules.floor = Protection::Tls;
    rules.rungs = {Protection::Smime, Protection::OpenPgp, Protection::Pickup};  // of class high: no TLS
    addKey(context, memberCertificate("bob@example.org", clock.now()));
  }
  Decision decide(std::string_view address) {
    return context.site.read(
        [&](SiteTables& tables) { return decideOutbound(tables, rules, address, own, clock.now()); });
  }
  void mark(const char* domain, DomainMark::Mark as) {
    context.site.write([&](SiteTables& tables) { tables.domainTls.setMark({domain, as, "why", clock.now(), "ada"}); });
  }
  void found(const char* domain, app::TlsMeans means) {
    app::DomainTls tls;
    tls.domain = domain;
    tls.means = means;
    tls.checkedAt = clock.now();
    context.site.write([&](SiteTables& tables) { tables.domainTls.note(tls); });
  }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(listd_plan_OutboundDecision, Fixture)

BOOST_AUTO_TEST_CASE(own_domains_get_it_by_verified_tls_whatever_keys_there_are) {
  BOOST_TEST((decide("bob@example.org").protection == Protection::Tls));
  found("example.org", app::TlsMeans::Pkix);
  BOOST_TEST((decide("cid@example.org").protection == Protection::Tls));
  BOOST_TEST((decide("eve@foreign.example").protection == Protection::Pickup));
  BOOST_TEST((decide("eve@sub.example.org").protection == Protection::Pickup));
}

BOOST_AUTO_TEST_CASE(trusted_domains_get_it_by_verified_tls) {
  mark("partner.example", DomainMark::Mark::Trusted);
  BOOST_TEST((decide("pat@partner.example").protection == Protection::Tls));
}

BOOST_AUTO_TEST_CASE(servers_that_prove_nothing_get_sealed_mail_or_pick_up) {
  found("example.org", app::TlsMeans::None);
  BOOST_TEST((decide("bob@example.org").protection == Protection::Smime));
  BOOST_TEST((decide("cid@example.org").protection == Protection::Pickup));
}

BOOST_AUTO_TEST_CASE(an_own_domain_whose_tls_does_not_count_is_as_any_other) {
  mark("example.org", DomainMark::Mark::Distrusted);
  BOOST_TEST((decide("bob@example.org").protection == Protection::Smime));
  BOOST_TEST((decide("cid@example.org").protection == Protection::Pickup));
}

BOOST_AUTO_TEST_CASE(the_floor_stands_above) {
  rules.floor = Protection::Smime;
  BOOST_TEST((decide("bob@example.org").protection == Protection::Smime));
  BOOST_TEST(decide("cid@example.org").withheld());
}

BOOST_AUTO_TEST_SUITE_END()
