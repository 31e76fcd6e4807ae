// What leaves is signed, each copy as it is on the wire, and waits where it must be signed and cannot.
#include "core/mailauth/Authentication.h"
#include "listd/dkim/DkimDuties.h"
#include "listd/Listd.h"
#include "tests/unit/core/mailauth/FakeDns.h"
#include "tests/unit/listd/FakeGateway.h"
#include "tests/unit/listd/ListdFixture.h"

using namespace postern;
using namespace postern::test;

namespace {

struct Stage {
  TempFolder folder;
  config::SiteConfig config = siteConfig(folder.path());
  SystemClock clock;
  FakeGateway gateway;
  FakeDns dns;
  std::unique_ptr<app::GatewayLinkServer> server;
  std::unique_ptr<Listd> listd;

  Stage() {
    SiteContext context(config, clock);
    const auto list = makeList(context, "board@lists.example", true, ListProtection{});
    makeList(context, "social@lists.example", false);
    context.site.write([&](SiteTables& tables) {
      tables.relays.set({"192.0.2.0/24", "example.org", list.id, {}});
      auto open = tables.lists.find("social@lists.example").value();
      for (const auto* address : {"ann@example.org", "bob@elsewhere.example"}) {
        Member member;
        member.listId = open.id;
        member.address = address;
        member.joinedAt = clock.now();
        tables.members.add(member, decideFor(tables, rulesOf(tables, open), address, std::nullopt, clock.now()));
      }
    });
    addKey(context, memberCertificate("withkey@elsewhere.example", clock.now()));
  }
  void withoutOneClick() {
    SiteContext context(config, clock);
    context.site.write([](SiteTables& tables) {
      const auto open = tables.lists.find("social@lists.example").value();
      auto settings = tables.subscriptions.settings(open.id, open.secure);
      settings.oneClick = false;
      tables.subscriptions.set(open.id, settings);
    });
  }
  void addKeyOf(SiteContext& context, const std::string& domain, mailauth::KeyKind kind, const std::string& selector) {
    const auto secret = mailauth::SigningKey::create(kind);
    DkimKey key;
    key.domain = domain;
    key.selector = selector;
    key.kind = kind == mailauth::KeyKind::Rsa ? "rsa" : "ed25519";
    key.record = secret.record();
    key.madeAt = clock.now();
    context.keys.storeSiteKey(dkimKeyName(key), secret.exportDer(), key.record);
    context.site.write([&](SiteTables& tables) { tables.dkim.add(key); });
    dns.add(key.name(), "TXT", key.record);
    gateway.addText(key.name(), key.record);
    DkimDuties(context, [&](const std::string& name) { return gateway.lookUpText(name); }).check(domain);
  }
  void addKeys() {
    SiteContext context(config, clock);
    for (const auto* domain : {"lists.example", "example.org"}) {
      addKeyOf(context, domain, mailauth::KeyKind::Rsa, "r1");
      addKeyOf(context, domain, mailauth::KeyKind::Ed25519, "e1");
    }
  }
  void demand() {
    SiteContext context(config, clock);
    context.site.write([](SiteTables& tables) { tables.dkim.set("board@lists.example", Signing::Required); });
  }
  void start() {
    files::makePrivateFolder(config.gatewaySocket().parent_path());
    server = std::make_unique<app::GatewayLinkServer>(config.gatewaySocket().string(), gateway);
    listd = std::make_unique<Listd>(config);
    BOOST_REQUIRE(eventually([&] { return !gateway.routing().vaultPublicKey.empty(); }));
  }
  void acceptDomainMail() {
    auto submission = submissionTo({"withkey@elsewhere.example", "keyless@other.example"}, "ann@example.org",
                                   "Secure: the numbers", "of the year");
    submission.notes = {{"tagged", "yes"}, {std::string(app::OutboundNote), "board@lists.example"}};
    gateway.accept(submission);
  }
  void checkSigned(const FakeGateway::Delivered& one) {
    const auto header = mail::HeaderBlock::scan(one.message);
    BOOST_REQUIRE(header.has_value());
    const auto parsed = mail::Message::parse(one.message);
    const auto results = verifyDkim(dns, *header, std::string_view(one.message).substr(header->bodyOffset()),
                                    toMicros(clock.now()) / 1'000'000);
    BOOST_REQUIRE_EQUAL(results.size(), 2u);
    for (const auto& result : results) {
      BOOST_TEST((result.outcome == mailauth::DkimOutcome::Pass), one.copy.recipient << ": " << result.reason);
      BOOST_TEST(result.domain == parsed->from().mailboxes[0].address->domain());
    }
  }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(listd_dkim_SignedMail)

BOOST_AUTO_TEST_CASE(sealed_copies_envelopes_and_reports_are_signed_by_the_domain_of_from) {
  Stage stage;
  stage.addKeys();
  stage.start();
  stage.acceptDomainMail();
  BOOST_REQUIRE(eventually([&] { return stage.gateway.delivered().size() >= 2; }));
  for (const auto& one : stage.gateway.delivered()) stage.checkSigned(one);
}

BOOST_AUTO_TEST_CASE(plain_copies_of_an_open_list_share_their_signature) {
  Stage stage;
  stage.withoutOneClick();
  stage.addKeys();
  stage.start();
  stage.gateway.accept(submissionTo({"social@lists.example"}, "ann@example.org", "hello", "all"));
  BOOST_REQUIRE(eventually([&] { return stage.gateway.delivered().size() == 2; }));
  const auto copies = stage.gateway.delivered();
  for (const auto& one : copies) {
    BOOST_TEST((one.copy.kind == app::Copy::Kind::Content));
    stage.checkSigned(one);
  }
  BOOST_TEST(copies[0].message == copies[1].message);
}

BOOST_AUTO_TEST_CASE(plain_copies_with_a_way_out_of_their_own_are_each_signed) {
  Stage stage;
  stage.addKeys();
  stage.start();
  stage.gateway.accept(submissionTo({"social@lists.example"}, "ann@example.org", "hello", "all"));
  BOOST_REQUIRE(eventually([&] { return stage.gateway.delivered().size() == 2; }));
  const auto copies = stage.gateway.delivered();
  for (const auto& one : copies) {
    stage.checkSigned(one);
    BOOST_TEST(one.message.find("List-Unsubscribe-Post: List-Unsubscribe=One-Click") != std::string::npos);
  }
  BOOST_TEST(copies[0].message != copies[1].message);
}

BOOST_AUTO_TEST_CASE(where_a_list_demands_it_nothing_leaves_unsigned_and_what_waits_goes_on_with_a_key) {
  Stage stage;
  stage.demand();
  stage.start();
  stage.acceptDomainMail();
  BOOST_REQUIRE(eventually([&] { return stage.gateway.unfinished() == 0; }));
  std::this_thread::sleep_for(std::chrono::milliseconds(500));
  BOOST_TEST(stage.gateway.delivered().empty());
  stage.listd.reset();
  stage.server.reset();
  {
    SiteContext context(stage.config, stage.clock);
    const auto stuck = context.site.read([](SiteTables& tables) { return tables.posts.inTrouble(10); });
    BOOST_REQUIRE_EQUAL(stuck.size(), 1u);
    BOOST_TEST(stuck[0].trouble.find("must be signed") != std::string::npos);
    context.site.write([&](SiteTables& tables) { tables.posts.setTrouble(stuck[0].id, "", 0, stage.clock.now()); });
  }
  stage.addKeys();
  stage.start();
  BOOST_REQUIRE(eventually([&] { return stage.gateway.delivered().size() >= 2; }));
  for (const auto& one : stage.gateway.delivered()) stage.checkSigned(one);
}

BOOST_AUTO_TEST_SUITE_END()
