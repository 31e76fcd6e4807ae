#include "tests/unit/listd/FakeGateway.h"
#include "tests/unit/listd/orders/DeskFixture.h"

#include <filesystem>
#include <thread>

using namespace postern;
using namespace postern::listd;
using namespace postern::test;

namespace {

struct NamedGateway : FakeGateway {
  std::vector<app::ServerNameUse> serverNames() override {
    app::ServerNameUse old;
    old.name = "old.example";
    old.retires = "2026-02-01";
    old.retired = true;
    old.afterwards = "refuse";
    old.addresses = {"192.0.2.9"};
    old.hasCertificate = true;
    old.certificateEnds = TestNow;
    old.certificateProblem = "it is broken";
    old.lastUse = TestNow;
    old.networks = {{"198.51.100.0/24", TestNow, 3, 2}};
    old.days = {{"2026-03-01", 2, 1, 5}, {"2026-02-28", 1, 1, 0}};
    app::ServerNameUse other;
    other.name = "other.example";
    return {old, other};
  }
};

struct Names : Desk {
  NamedGateway fake;
  std::optional<app::GatewayLinkServer> server;

  void connect() {
    std::filesystem::create_directories(config.gatewaySocket().parent_path());
    server.emplace(config.gatewaySocket().string(), fake);
    for (int i = 0; i < 1000 && !gateway.connected(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(10));
    BOOST_REQUIRE(gateway.connected());
  }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(listd_orders_HostnameOrders, Names)

BOOST_AUTO_TEST_CASE(names_are_shown_as_the_gateway_counts_them) {
  connect();
  const auto list = give("hostname.list").at("items");
  BOOST_REQUIRE_EQUAL(list.size(), 2u);
  BOOST_TEST(list[0].at("state") == "refused");
  BOOST_TEST(list[0].at("sessions") == 3);
  BOOST_TEST(list[0].at("messages") == 2);
  BOOST_TEST(list[0].at("refused") == 5);
  BOOST_TEST(list[1].at("state") == "in-use");
  BOOST_TEST(list[1].at("lastUseAt") == 0);
  const auto shown = give("hostname.show", {{"name", "OLD.example"}});
  BOOST_TEST(shown.at("networks").at(0).at("network") == "198.51.100.0/24");
  BOOST_TEST(shown.at("days").at(0).at("refused") == 5);
  BOOST_TEST(shown.at("certificateProblem") == "it is broken");
  BOOST_TEST(shown.at("addresses").at(0) == "192.0.2.9");
  BOOST_TEST(refusal("hostname.show", {{"name", "nobody.example"}}).starts_with("not-found"));
}

BOOST_AUTO_TEST_CASE(without_the_gateway_nobody_knows) {
  BOOST_TEST(refusal("hostname.list").starts_with("unavailable"));
}

BOOST_AUTO_TEST_SUITE_END()
