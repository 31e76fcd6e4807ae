// Mail of a relay for recipients elsewhere: none of its content leaves unsealed, whatever they have or lack.
#include "listd/Listd.h"
#include "tests/unit/listd/FakeGateway.h"
#include "tests/unit/listd/ListdFixture.h"

using namespace postern;
using namespace postern::test;

namespace {

constexpr auto Canary = "Kanarienvogel-77a1-singt";

struct Stage {
  TempFolder folder;
  config::SiteConfig config = siteConfig(folder.path());
  SystemClock clock;
  FakeGateway gateway;
  std::unique_ptr<app::GatewayLinkServer> server;
  std::unique_ptr<Listd> listd;

  explicit Stage(const std::optional<ListProtection>& protection) {
    SiteContext context(config, clock);
    const auto list = makeList(context, "outbound@lists.example", true, protection);
    context.site.write([&](SiteTables& tables) { tables.relays.set({"192.0.2.0/24", "example.org", list.id, {}}); });
    addKey(context, memberCertificate("withkey@elsewhere.example", clock.now()));
  }
  void start() {
    files::makePrivateFolder(config.gatewaySocket().parent_path());
    server = std::make_unique<app::GatewayLinkServer>(config.gatewaySocket().string(), gateway);
    listd = std::make_unique<Listd>(config);
    BOOST_REQUIRE(eventually([&] { return !gateway.routing().vaultPublicKey.empty(); }));
  }
  void accept() {
    auto submission = submissionTo({"withkey@elsewhere.example", "Keyless@other.example"}, "ann@example.org",
                                   std::string("Secure: ") + Canary, Canary);
    submission.notes = {{"tagged", "yes"}, {std::string(app::OutboundNote), "outbound@lists.example"}};
    gateway.accept(submission);
  }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(listd_DomainMail)

BOOST_AUTO_TEST_CASE(the_gateway_learns_of_relays) {
  Stage stage(std::nullopt);
  stage.start();
  const auto relays = stage.gateway.routing().relays;
  BOOST_REQUIRE_EQUAL(relays.size(), 1u);
  BOOST_TEST(relays.front().range == "192.0.2.0/24");
  BOOST_TEST(relays.front().listName == "outbound@lists.example");
}

BOOST_AUTO_TEST_CASE(one_with_a_key_gets_a_sealed_copy_and_one_without_nothing_readable) {
  Stage stage(std::nullopt);  // S/MIME only
  stage.start();
  stage.accept();
  BOOST_REQUIRE(eventually([&] { return stage.gateway.delivered().size() == 2; }));
  for (const auto& [copy, message] : stage.gateway.delivered()) {
    BOOST_TEST(message.find(Canary) == std::string::npos);
    if (copy.kind == app::Copy::Kind::Content) {
      BOOST_TEST(copy.recipient == "withkey@elsewhere.example");
      BOOST_TEST((copy.protection == app::Protection::Smime));
      BOOST_TEST(copy.mailFrom == "ann@example.org");
      BOOST_TEST(message.find("Subject: [...]\r\n") != std::string::npos);
      BOOST_TEST(message.find("ann@example.org") != std::string::npos);
    } else {
      BOOST_TEST(copy.recipient == "ann@example.org");  // the author's report, no notice to a stranger
    }
  }
}

BOOST_AUTO_TEST_CASE(one_without_a_key_gets_an_envelope_where_pick_up_is_allowed) {
  Stage stage(ListProtection{});
  stage.start();
  stage.accept();
  BOOST_REQUIRE(eventually([&] { return stage.gateway.delivered().size() == 2; }));
  for (const auto& [copy, message] : stage.gateway.delivered()) {
    BOOST_TEST(message.find(Canary) == std::string::npos);
    if (copy.recipient == "keyless@other.example") BOOST_TEST((copy.protection == app::Protection::Pickup));
  }
}

BOOST_AUTO_TEST_SUITE_END()
