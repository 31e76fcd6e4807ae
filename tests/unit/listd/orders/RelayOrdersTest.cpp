#include "core/app/GatewayLink.h"
#include "listd/expand/RoutingView.h"
#include "tests/unit/listd/orders/DeskFixture.h"

using namespace postern;
using namespace postern::listd;
using namespace postern::test;

namespace {

struct Relays : Desk {
  Relays() { board(); }
  json args(const std::string& range, const std::string& list = "board@lists.example") {
    return {{"range", range}, {"domain", "Example.org"}, {"list", list}};
  }
  std::size_t count() { return give("relay.list").at("items").size(); }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(listd_orders_RelayOrders, Relays)

BOOST_AUTO_TEST_CASE(a_relay_is_shown_recorded_known_to_the_gateway_and_removed) {
  const auto made = give("relay.add", args("192.0.2.0/24"));
  BOOST_TEST(made.at("domain") == "example.org");
  BOOST_TEST(give("relay.list").at("items").at(0) == made);
  BOOST_TEST(entries().front().find("relay.add 192.0.2.0/24 example.org") != std::string::npos);
  const auto view = buildRoutingView(context);
  BOOST_REQUIRE_EQUAL(view.relays.size(), 1u);
  BOOST_TEST(view.relays.front().senderDomain == "example.org");
  BOOST_TEST(view.relays.front().listName == "board@lists.example");
  give("relay.remove", {{"range", "192.0.2.0/24"}, {"domain", "example.org"}});
  BOOST_TEST(count() == 0u);
  BOOST_TEST(buildRoutingView(context).relays.empty());
  BOOST_TEST(refusal("relay.remove", {{"range", "192.0.2.0/24"}, {"domain", "example.org"}}).starts_with("not-found"));
}

BOOST_AUTO_TEST_CASE(what_would_open_the_site_or_send_unprotected_is_refused) {
  give("list.create", {{"address", "social@lists.example"}, {"secure", false}});
  for (const auto* everybody : {"0.0.0.0/0", "::/0"})
    BOOST_TEST(refusal("relay.add", args(everybody)).starts_with("refused"));
  for (const auto* typing : {"192.0.2.1/24", "192.0.2", "example.org", ""})
    BOOST_TEST(!refusal("relay.add", args(typing)).empty(), typing);
  BOOST_TEST(refusal("relay.add", args("192.0.2.7", "social@lists.example")).starts_with("refused"));
  BOOST_TEST(refusal("relay.add", args("192.0.2.7", "nobody@lists.example")).starts_with("not-found"));
  BOOST_TEST(count() == 0u);
}

BOOST_AUTO_TEST_CASE(the_same_range_and_domain_is_one_relay) {
  give("list.create", {{"address", "other@lists.example"}, {"secure", true}});
  give("relay.add", args("192.0.2.7"));
  give("relay.add", args("192.0.2.7/32", "other@lists.example"));
  BOOST_TEST(count() == 1u);
  BOOST_TEST(give("relay.list").at("items").at(0).at("list") == "other@lists.example");
}

BOOST_AUTO_TEST_CASE(a_relay_may_be_known_by_a_certificate) {
  const std::string print = "AB:" + [] {
    std::string rest;
    for (int i = 0; i < 31; ++i) rest += i == 30 ? "01" : "01:";
    return rest;
  }();
  auto pinned = args("any");
  pinned["fingerprint"] = print;
  const auto made = give("relay.add", pinned);
  BOOST_TEST(made.at("range") == "any");
  BOOST_TEST(made.at("fingerprint").get<std::string>().starts_with("ab01"));
  BOOST_TEST(made.at("fingerprint").get<std::string>().size() == 64u);
  auto named = args("0.0.0.0/0");
  named["issuer"] = "CN=Org CA";
  named["name"] = "Mail.Example.org";
  BOOST_TEST(give("relay.add", named).at("name") == "mail.example.org");
  give("relay.add", args("192.0.2.7"));
  const auto view = buildRoutingView(context);
  BOOST_REQUIRE_EQUAL(view.relays.size(), 3u);
  const auto again = app::RoutingView::decode(view.encode());
  BOOST_TEST(again.relays[1].issuer == "CN=Org CA");
  BOOST_TEST(again.relays[0].needsCertificate() != again.relays[2].needsCertificate());

  const nlohmann::json any{{"range", "any"}, {"domain", "example.org"}};
  BOOST_TEST(refusal("relay.remove", any).starts_with("invalid"), "which of the two?");
  auto one = any;
  one["name"] = "mail.example.org";
  give("relay.remove", one);
  give("relay.remove", any);
  BOOST_TEST(count() == 1u);
}

BOOST_AUTO_TEST_CASE(certificates_that_say_nothing_are_refused) {
  const auto with = [&](const nlohmann::json& more, const std::string& range = "any") {
    auto all = args(range);
    all.update(more);
    return refusal("relay.add", all);
  };
  BOOST_TEST(with(nlohmann::json::object()).starts_with("refused"));
  BOOST_TEST(with({{"fingerprint", ""}, {"issuer", ""}, {"name", ""}, {"certificate", ""}}).starts_with("refused"));
  BOOST_TEST(with({{"fingerprint", "abc"}}).starts_with("invalid"));
  BOOST_TEST(with({{"issuer", "CN=x"}}).starts_with("invalid"));
  BOOST_TEST(with({{"name", "mail.example.org"}}).starts_with("invalid"));
  BOOST_TEST(with({{"certificate", "nonsense"}}).starts_with("invalid"));
  BOOST_TEST(with({{"fingerprint", std::string(64, 'a')}, {"issuer", "CN=x"}, {"name", "y"}}).starts_with("invalid"));
  BOOST_TEST(count() == 0u);
}

BOOST_AUTO_TEST_SUITE_END()
