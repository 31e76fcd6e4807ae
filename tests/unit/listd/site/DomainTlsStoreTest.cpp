#include "listd/site/SiteStore.h"
#include "tests/unit/listd/ListdFixture.h"

using namespace postern;
using namespace postern::test;
using app::TlsMeans;
using namespace std::chrono_literals;

namespace {

struct Fixture {
  TempFolder folder;
  FakeClock clock{TestNow};
  SiteStore site{folder / "listd/site.db", clock};

  bool note(TlsMeans means, TimePoint at, const std::string& problem = "") {
    return site.write([&](SiteTables& tables) { return tables.domainTls.note({"example.org", means, at, problem}); });
  }
  std::optional<app::DomainTls> find(const std::string& domain = "example.org") {
    return site.read([&](SiteTables& tables) { return tables.domainTls.find(domain); });
  }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(listd_site_DomainTlsStore, Fixture)

BOOST_AUTO_TEST_CASE(keeps_the_newest_of_what_was_found_out) {
  BOOST_TEST(!find().has_value());
  BOOST_TEST(note(TlsMeans::Dane, TestNow));
  BOOST_TEST(!note(TlsMeans::Dane, TestNow + 1h));                 // nothing new
  BOOST_TEST(!note(TlsMeans::None, TestNow + 30min, "too late"));  // older than what is known
  BOOST_REQUIRE(find().has_value());
  BOOST_TEST(app::tlsMeansWord(find()->means) == "dane");
  BOOST_TEST((find()->checkedAt == TestNow + 1h));
  BOOST_TEST(note(TlsMeans::None, TestNow + 2h, "no STARTTLS"));
  BOOST_TEST(find()->problem == "no STARTTLS");
}

BOOST_AUTO_TEST_CASE(a_distrusted_domain_counts_as_unverified_whatever_was_found_out) {
  note(TlsMeans::Dane, TestNow);
  site.write([&](SiteTables& tables) {
    tables.domainTls.setMark({"example.org", DomainMark::Mark::Distrusted, "free mail", TestNow, "ann"});
    tables.domainTls.setMark({"never.example", DomainMark::Mark::Distrusted, "free mail", TestNow, "ann"});
    tables.domainTls.setMark({"partner.example", DomainMark::Mark::Trusted, "contract", TestNow, "ann"});
  });
  BOOST_TEST((find()->means == TlsMeans::None));
  BOOST_TEST(find()->problem.find("free mail") != std::string::npos);
  BOOST_REQUIRE(find("never.example").has_value());
  BOOST_TEST((find("never.example")->means == TlsMeans::None));
  BOOST_TEST(!find("partner.example").has_value());  // trust alone is no knowledge of its servers
  const auto all = site.read([](SiteTables& tables) { return tables.domainTls.all(); });
  BOOST_REQUIRE(all.size() == 2u);
  BOOST_TEST((all[0].domain == "example.org" && all[0].means == TlsMeans::None));
  BOOST_TEST(all[1].domain == "never.example");

  site.write([&](SiteTables& tables) { BOOST_TEST(tables.domainTls.removeMark("example.org")); });
  BOOST_TEST((find()->means == TlsMeans::Dane));
}

BOOST_AUTO_TEST_CASE(a_domain_has_one_mark) {
  site.write([&](SiteTables& tables) {
    tables.domainTls.setMark({"example.org", DomainMark::Mark::Trusted, "contract", TestNow, "ann"});
    tables.domainTls.setMark({"example.org", DomainMark::Mark::Distrusted, "breach", TestNow + 1h, "bob"});
  });
  const auto marks = site.read([](SiteTables& tables) { return tables.domainTls.marks(); });
  BOOST_REQUIRE(marks.size() == 1u);
  BOOST_TEST((marks[0].mark == DomainMark::Mark::Distrusted));
  BOOST_TEST(marks[0].setBy == "bob");
}

BOOST_AUTO_TEST_CASE(a_report_stays_with_its_domain_until_it_is_forgotten) {
  note(TlsMeans::Pkix, TestNow);
  site.write([](SiteTables& tables) { tables.domainTls.setReport("example.org", "{}"); });
  note(TlsMeans::Pkix, TestNow + 1h);
  const auto report = [&] {
    return site.read([](SiteTables& tables) { return tables.domainTls.report("example.org"); });
  };
  BOOST_TEST(report() == "{}");
  site.write([](SiteTables& tables) { tables.domainTls.forget("example.org"); });
  BOOST_TEST(report().empty());
  BOOST_TEST(!find().has_value());
}

BOOST_AUTO_TEST_SUITE_END()
