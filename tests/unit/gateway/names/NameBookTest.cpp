#include "gateway/names/NameBook.h"
#include "tests/support/TempFolder.h"
#include "tests/unit/gateway/smtp/ServerFixture.h"

#include <algorithm>
#include <fstream>

using namespace postern;
using namespace postern::gateway;
using Use = ServerNames::Use;

namespace {

struct Book {
  test::TempFolder folder;
  FakeClock clock{fromMicros(1'772'366'400'000'000)};  // 2026-03-01 12:00:00
  config::SiteConfig config;

  Book() {
    config.dataFolder = folder.path();
    std::filesystem::create_directories(folder / "gateway");
    add("old.example", "2026-03-02", "refuse", {"192.0.2.9"});
    add("older.example", "2026-02-01", "warn", {"2001:db8::9"});
    add("kept.example", "", "warn", {});
  }
  void add(const std::string& name, const std::string& retires, const std::string& afterwards,
           std::vector<std::string> addresses) {
    config.aliases.push_back({name, {}, {}, std::move(addresses), retires, afterwards});
  }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(gateway_names_NameBook, Book)

BOOST_AUTO_TEST_CASE(a_name_is_retired_from_its_day_on) {
  const NameBook book(config, clock);
  BOOST_TEST(!book.byName("first.example").has_value());
  BOOST_TEST(!book.byAddress("").has_value());
  BOOST_TEST(book.byAddress("2001:db8::9")->name == "older.example");
  BOOST_TEST(book.byName("older.example")->retiredOn == "2026-02-01");
  BOOST_TEST(!book.byName("older.example")->refuses);
  BOOST_TEST(book.byName("old.example")->retiredOn.empty());
  BOOST_TEST(!book.byName("old.example")->refuses);
  clock.advance(std::chrono::hours(12));
  BOOST_TEST(book.byName("old.example")->retiredOn == "2026-03-02");
  BOOST_TEST(book.byName("old.example")->refuses);
  BOOST_TEST(book.byName("kept.example")->retiredOn.empty());
}

BOOST_AUTO_TEST_CASE(uses_are_counted_by_network_and_day_and_survive_a_restart) {
  {
    NameBook book(config, clock);
    book.used("old.example", "198.51.100.7", Use::Session);
    book.used("old.example", "198.51.100.7", Use::Message);
    book.used("old.example", "198.51.100.8", Use::Session);
    book.used("old.example", "2001:db8:1:2:3::4", Use::Session);
    clock.advance(std::chrono::hours(24));
    book.used("old.example", "198.51.100.9", Use::Refusal);
  }
  const NameBook again(config, clock);
  const auto uses = again.uses({});
  BOOST_REQUIRE_EQUAL(uses.size(), 3u);
  const auto& old = uses.front();
  BOOST_TEST(old.name == "old.example");
  BOOST_TEST((old.lastUse == clock.now()));
  BOOST_REQUIRE_EQUAL(old.networks.size(), 2u);
  BOOST_TEST(old.networks[0].network == "198.51.100.0/24");
  BOOST_TEST(old.networks[0].sessions == 2u);
  BOOST_TEST(old.networks[0].messages == 1u);
  BOOST_TEST(old.networks[1].network == "2001:db8:1:2::/64");
  BOOST_REQUIRE_EQUAL(old.days.size(), 2u);
  BOOST_TEST(old.days[0].day == "2026-03-02");
  BOOST_TEST(old.days[0].refused == 1u);
  BOOST_TEST(old.days[1].sessions == 3u);
  BOOST_TEST((uses[2].lastUse == TimePoint()));
}

BOOST_AUTO_TEST_CASE(many_networks_cost_no_more_than_the_limit) {
  NameBook::Limits limits;
  limits.networks = 10;
  NameBook book(config, clock, limits);
  for (int i = 0; i < 200; ++i) book.used("old.example", "198.51." + std::to_string(i) + ".1", Use::Session);
  const auto old = book.uses({}).front();
  BOOST_TEST(old.networks.size() == 11u);
  std::uint64_t all = 0;
  for (const auto& network : old.networks) all += network.sessions;
  BOOST_TEST(all == 200u);
}

BOOST_AUTO_TEST_CASE(what_is_old_is_forgotten) {
  NameBook book(config, clock);
  book.used("old.example", "198.51.100.7", Use::Session);
  clock.advance(std::chrono::days(401));
  book.used("old.example", "203.0.113.7", Use::Session);
  const auto old = book.uses({}).front();
  BOOST_REQUIRE_EQUAL(old.networks.size(), 1u);
  BOOST_TEST(old.networks.front().network == "203.0.113.0/24");
  BOOST_TEST(old.days.size() == 1u);
}

BOOST_AUTO_TEST_CASE(counts_that_cannot_be_read_begin_anew) {
  std::ofstream(folder / "gateway/names.json") << "{\"old.example\": 7}";
  NameBook book(config, clock);
  book.used("old.example", "198.51.100.7", Use::Session);
  BOOST_TEST(book.uses({}).front().networks.size() == 1u);
}

BOOST_AUTO_TEST_CASE(status_tells_of_certificates_that_end_and_of_names_that_should_be_gone) {
  fakes::writeCertificate(folder.path(), "kept.example");
  config.aliases[2].certificate = "cert.pem";
  config.aliases[2].certificateKey = "key.pem";
  NameBook book(config, clock);
  BOOST_TEST(NameBook::certificatesOf(config).size() == 1u);
  const auto now = SystemClock().now();
  const auto found = findingsOf(book.uses({}), now);
  BOOST_REQUIRE_EQUAL(found.size(), 1u);  // it is good for a day only
  BOOST_TEST(found.front().rule == "certificate.ending");
  BOOST_TEST(found.front().severity == "error");
  BOOST_TEST(found.front().what.find("kept.example") != std::string::npos);
  BOOST_TEST(findingsOf(book.uses({}), now + std::chrono::hours(48)).front().rule == "certificate.ended");
  BOOST_TEST(findingsOf(book.uses({{"kept.example", "it is broken"}}), now).front().rule == "certificate.broken");
  std::filesystem::remove(folder / "cert.pem");
  BOOST_TEST(findingsOf(book.uses({}), now).front().rule == "certificate.broken");

  book.used("older.example", "198.51.100.7", Use::Session);
  const auto retired = findingsOf(book.uses({}), clock.now());
  BOOST_TEST(std::count_if(retired.begin(), retired.end(),
                           [](const auto& finding) { return finding.rule == "name.retired"; }) == 1);
  const auto later = findingsOf(book.uses({}), clock.now() + std::chrono::days(8));
  BOOST_TEST(std::count_if(later.begin(), later.end(),
                           [](const auto& finding) { return finding.rule == "name.retired"; }) == 0);
}

BOOST_AUTO_TEST_SUITE_END()
