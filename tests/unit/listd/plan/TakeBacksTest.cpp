// Copies that could not have verified TLS in time: taken back, planned anew, and never two of them delivered.
#include "listd/expand/TakeBacks.h"
#include "listd/ledger/EventRecorder.h"
#include "tests/unit/listd/FakeGateway.h"
#include "tests/unit/listd/ListdFixture.h"

using namespace postern;
using namespace postern::test;
using app::Protection;
using Outcome = app::DeliveryEvent::Outcome;

namespace {

const std::string Tina = "tina@tls.example";

// A post to one member whose copy waits at the gateway for verified TLS.
struct Waiting {
  TempFolder folder;
  config::SiteConfig config = siteConfig(folder.path());
  FakeClock clock{TestNow};
  SiteContext context{config, clock};
  FakeGateway gateway;
  std::uint64_t asked = 0;
  std::uint64_t gives = 1;
  std::unique_ptr<app::GatewayLinkServer> server;
  const GatewayAddress address{config.gatewaySocket().string(), Secret()};
  std::unique_ptr<GatewayControl> control;
  std::unique_ptr<TakeBacks> takeBacks;
  List list;
  std::uint64_t post = 0;
  std::uint64_t copy = 0;

  explicit Waiting(std::vector<Protection> rungs) {
    ListProtection protection;
    protection.rungs = std::move(rungs);
    protection.tlsWithin = std::chrono::minutes(60);
    list = makeList(context, "board@lists.example", true, protection);
    context.site.write([](SiteTables& tables) {
      tables.domainTls.note({"tls.example", app::TlsMeans::Pkix, TestNow, ""});
    });
    addMember(context, list, Tina);
    context.site.write([&](SiteTables& tables) {
      Post made;
      made.queueId = "Q1";
      made.client = "{}";
      made.sensitivity = "moderate";
      post = writePlan(tables, made, list, {PostingRuling::Verdict::Accept, "", std::nullopt, false}, TestNow).value();
      copy = tables.ledger.page(post, 0, 10).front().id;
      tables.posts.setSentThrough(post, copy);
      tables.posts.finishSending(post);
    });
    gateway.withdraw = [this](std::uint64_t key) {
      BOOST_TEST(key == copy);
      ++asked;
      return gives;
    };
    files::makePrivateFolder(config.gatewaySocket().parent_path());
    server = std::make_unique<app::GatewayLinkServer>(config.gatewaySocket().string(), gateway);
    control = std::make_unique<GatewayControl>(context, address);
    BOOST_REQUIRE(eventually([&] { return control->connected(); }));
    takeBacks = std::make_unique<TakeBacks>(context, *control);
  }

  bool tell(Outcome outcome, std::uint32_t attempt) {
    app::DeliveryEvent event;
    event.copyKey = copy;
    event.outcome = outcome;
    event.at = clock.now();
    event.attempt = attempt;
    return context.site.write([&](SiteTables& tables) { return recordEvents(tables, {{attempt, event}}); });
  }
  std::vector<LedgerRow> rows() {
    return context.site.read([&](SiteTables& tables) { return tables.ledger.page(post, 0, 10); });
  }
  PostCounts counts() {
    return context.site.read([&](SiteTables& tables) { return tables.posts.find(post)->counts; });
  }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(listd_expand_TakeBacks)

BOOST_AUTO_TEST_CASE(a_copy_without_verified_tls_in_time_is_planned_anew_once_the_gateway_dropped_it) {
  Waiting w({Protection::Smime, Protection::Tls, Protection::Pickup});
  BOOST_TEST(w.rows().front().protection == "tls");
  w.tell(Outcome::Deferred, 1);
  w.clock.advance(std::chrono::minutes(59));
  BOOST_TEST(w.takeBacks->runOnce() == 0u);
  BOOST_TEST(w.asked == 0u);
  w.clock.advance(std::chrono::minutes(1));
  BOOST_TEST(w.takeBacks->runOnce() == 1u);
  BOOST_TEST(w.rows().size() == 1u, "nothing new before the gateway says that it dropped the copy");
  BOOST_TEST(w.tell(Outcome::Dropped, 2), "there is mail to send");
  const auto rows = w.rows();
  BOOST_REQUIRE_EQUAL(rows.size(), 2u);
  BOOST_TEST((rows[0].state == CopyState::Dropped));
  BOOST_TEST(rows[1].recipient == Tina);
  BOOST_TEST(rows[1].protection == "pickup");
  BOOST_TEST(rows[1].reason == "tls-too-late");
  BOOST_TEST((rows[1].state == CopyState::Planned));
  BOOST_TEST(w.counts().pending == 1u);
  BOOST_TEST(w.counts().failed == 0u);
  BOOST_TEST(w.counts().deferred == 0u);
  BOOST_TEST(!w.tell(Outcome::Dropped, 2), "the same event again changes nothing");
  BOOST_TEST(w.rows().size() == 2u);
  BOOST_TEST(w.takeBacks->runOnce() == 0u);
}

BOOST_AUTO_TEST_CASE(a_copy_that_is_on_its_way_is_asked_for_again_and_is_not_doubled_when_it_arrives) {
  Waiting w({Protection::Tls, Protection::Pickup});
  w.gives = 0;
  w.clock.advance(std::chrono::minutes(61));
  BOOST_TEST(w.takeBacks->runOnce() == 0u);
  BOOST_TEST(w.takeBacks->runOnce() == 0u);
  BOOST_TEST(w.asked == 2u);
  w.tell(Outcome::Delivered, 1);
  BOOST_REQUIRE_EQUAL(w.rows().size(), 1u);
  BOOST_TEST((w.rows()[0].state == CopyState::Delivered));
  BOOST_TEST(w.counts().delivered == 1u);
  BOOST_TEST(w.takeBacks->runOnce() == 0u);
  BOOST_TEST(w.asked == 2u);
}

BOOST_AUTO_TEST_CASE(without_another_rung_a_copy_waits_until_a_key_comes_or_it_expires) {
  Waiting w({Protection::Smime, Protection::Tls});
  w.clock.advance(std::chrono::hours(5));
  w.takeBacks->runOnce();
  BOOST_TEST(w.asked == 0u);
  addKey(w.context, memberCertificate(Tina, TestNow));
  BOOST_TEST(w.takeBacks->runOnce() == 1u);
  w.tell(Outcome::Dropped, 1);
  BOOST_REQUIRE_EQUAL(w.rows().size(), 2u);
  BOOST_TEST(w.rows()[1].protection == "smime");
}

BOOST_AUTO_TEST_CASE(a_copy_that_an_administrator_dropped_is_not_planned_anew) {
  Waiting w({Protection::Tls, Protection::Pickup});
  w.tell(Outcome::Dropped, 1);
  BOOST_TEST(w.rows().front().recipient == Tina);
  for (const auto& row : w.rows()) BOOST_TEST((row.kind != app::Copy::Kind::Content || row.id == w.copy));
  BOOST_TEST(w.counts().failed == 1u);
}

BOOST_AUTO_TEST_CASE(who_left_the_list_is_sent_nothing_anew) {
  Waiting w({Protection::Tls, Protection::Pickup});
  w.clock.advance(std::chrono::minutes(61));
  w.takeBacks->runOnce();
  w.context.site.write([&](SiteTables& tables) { tables.members.remove(w.list.id, Tina); });
  w.tell(Outcome::Dropped, 1);
  for (const auto& row : w.rows()) BOOST_TEST((row.kind != app::Copy::Kind::Content || row.id == w.copy));
  BOOST_TEST(w.counts().failed == 1u);
}

BOOST_AUTO_TEST_SUITE_END()
