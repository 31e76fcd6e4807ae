#include "tests/support/FakeResolver.h"

#include <random>

using namespace postern::net;
using postern::test::FakeResolver;
using Outcome = MailHosts::Outcome;

namespace {

std::size_t last(std::size_t limit) {
  return limit - 1;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(core_net_ResolverMx)

BOOST_AUTO_TEST_CASE(orders_by_preference_and_shuffles_equals) {
  FakeResolver resolver;
  resolver.mail("x", {{30, "c"}, {10, "a"}, {20, "b1"}, {20, "b2"}}, true);
  const auto kept = findMailHosts(resolver, "x", last);
  BOOST_TEST((kept.outcome == Outcome::Found));
  BOOST_TEST(kept.secure);
  BOOST_REQUIRE_EQUAL(kept.hosts.size(), 4u);
  BOOST_TEST(kept.hosts[0].name == "a");
  BOOST_TEST(kept.hosts[1].name == "b1");
  BOOST_TEST(kept.hosts[3].name == "c");
  std::set<std::string> second;
  std::mt19937 random(1);
  for (int i = 0; i < 50; ++i) {
    const auto shuffled = findMailHosts(resolver, "x", [&](std::size_t limit) { return random() % limit; });
    BOOST_TEST(shuffled.hosts[0].name == "a");
    BOOST_TEST(shuffled.hosts[3].name == "c");
    second.insert(shuffled.hosts[1].name);
  }
  BOOST_TEST(second.size() == 2u);
}

BOOST_AUTO_TEST_CASE(falls_back_to_the_domain_only_when_there_is_no_mx) {
  FakeResolver resolver;
  resolver.host("implicit", {"192.0.2.1"});
  BOOST_TEST(findMailHosts(resolver, "implicit", last).implicit);
  resolver.broken("broken");
  resolver.addressAnswers["broken"] = resolver.addressAnswers["implicit"];
  BOOST_TEST((findMailHosts(resolver, "broken", last).outcome == Outcome::TryLater));
  resolver.mxAnswers["bogus"] = {DnsOutcome::Bogus, false, {}, {}, "DNSSEC: forged"};
  BOOST_TEST((findMailHosts(resolver, "bogus", last).outcome == Outcome::TryLater));
  BOOST_TEST((findMailHosts(resolver, "gone", last).outcome == Outcome::NoSuchDomain));
  resolver.mxAnswers["empty"].outcome = DnsOutcome::NoData;
  BOOST_TEST((findMailHosts(resolver, "empty", last).outcome == Outcome::NoSuchDomain));
  resolver.addressAnswers["unsure"].outcome = DnsOutcome::Failed;
  resolver.mxAnswers["unsure"].outcome = DnsOutcome::NoData;
  BOOST_TEST((findMailHosts(resolver, "unsure", last).outcome == Outcome::TryLater));
}

BOOST_AUTO_TEST_CASE(null_mx_counts_alone_and_is_no_host_beside_others) {
  FakeResolver resolver;
  resolver.mail("null", {{0, ""}}).mail("odd", {{0, ""}, {10, "mx"}});
  BOOST_TEST((findMailHosts(resolver, "null", last).outcome == Outcome::NullMx));
  BOOST_TEST(findMailHosts(resolver, "odd", last).hosts.size() == 1u);
}

BOOST_AUTO_TEST_SUITE_END()
