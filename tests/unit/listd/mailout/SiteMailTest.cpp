// The outbox: nothing that somebody typed gets in, and a mail leaves once however the worker dies.
#include "listd/ledger/EventRecorder.h"
#include "listd/mailout/SiteMailWorker.h"
#include "tests/unit/listd/FakeGateway.h"
#include "tests/unit/listd/ListdFixture.h"

using namespace postern;
using namespace postern::test;

namespace {

const std::string Link = "https://postern.example/notice?token=" + std::string(54, 'A');

struct Site {
  TempFolder folder;
  config::SiteConfig config = siteConfig(folder.path());
  FakeClock clock{TestNow};
  SiteContext context{config, clock};
  SubmitGate gate;
  FakeGateway fake;
  app::GatewayLinkServer server{(folder.path() / "gateway.sock").string(), fake};
  std::unique_ptr<app::GatewayLink> link = connect();

  std::unique_ptr<app::GatewayLink> connect() {
    return std::make_unique<app::GatewayLink>((folder.path() / "gateway.sock").string());
  }

  std::uint64_t send() {
    return context.site.write([&](SiteTables& tables) {
      return sendSiteMail(tables, {SiteMail::Kind::HoldNotice, "bob@example.org", Link, {}}, clock.now());
    });
  }
  std::string state(std::uint64_t key) {
    return context.site.read([&](SiteTables& tables) { return tables.siteMail.find(key)->state; });
  }
  void takeEvents() {
    const auto events = link->takeEvents(0, 100, std::chrono::milliseconds(100));
    context.site.write([&](SiteTables& tables) { recordEvents(tables, events); });
    if (!events.empty()) link->takeEvents(events.back().sequence, 0, std::chrono::milliseconds(0));
  }
};

std::string fault(const SiteMail& mail) {
  return siteMailFault(mail).value_or("");
}

}  // namespace

BOOST_AUTO_TEST_SUITE(listd_mailout_SiteMail)

BOOST_AUTO_TEST_CASE(typed_text_fits_into_no_mail) {
  using Kind = SiteMail::Kind;
  const std::string to = "bob@example.org";
  BOOST_TEST(fault({Kind::HoldNotice, to, Link, {}}).empty());
  BOOST_TEST(!fault({Kind::HoldNotice, to, Link, {"the budget"}}).empty());
  BOOST_TEST(!fault({Kind::HoldNotice, to, "", {}}).empty());
  for (const auto* link : {"http://postern.example/notice?token=A", "https://postern.example/the budget",
                           "https://postern.example/a\nb", "https://user@postern.example/notice",
                           "https://postern.example/notice?text=budget", "https://postern.example/notice?token=a%20b",
                           "https://postern.example/Notice#x", "https://postern.example", "javascript:alert(1)"})
    BOOST_TEST(!fault({Kind::HoldNotice, to, link, {}}).empty(), link);
  BOOST_TEST(!fault({Kind::HoldNotice, "Bob Budget <bob@example.org>", Link, {}}).empty());
  BOOST_TEST(!fault({Kind::ApprovalsWaiting, to, Link, {"three"}}).empty());
  BOOST_TEST(!fault({Kind::LonePersonChange, to, Link, {"Rule Change", "1", "2026-03-01T12:00:00Z"}}).empty());
  BOOST_TEST(!fault({Kind::LonePersonChange, to, Link, {"rule.change", "1", "tomorrow"}}).empty());
  BOOST_TEST(fault({Kind::LonePersonChange, to, Link, {"rule.change", "1", "2026-03-01T12:00:00Z"}}).empty());
  BOOST_TEST(!fault({Kind::AuditAnchor, to, "", {"the budget", "1", "x"}}).empty());
  Site s;
  BOOST_CHECK_THROW(s.context.site.write([&](SiteTables& tables) {
    sendSiteMail(tables, {Kind::HoldNotice, to, Link, {"the budget"}}, TestNow);
  }),
                    Error);
}

BOOST_AUTO_TEST_CASE(a_mail_is_handed_over_once_and_its_outcome_is_recorded) {
  Site s;
  const auto key = s.send();
  BOOST_TEST(s.state(key) == "planned");
  BOOST_TEST(handOverSiteMail(s.context, s.gate, *s.link) == 1u);
  BOOST_TEST(s.state(key) == "handed");
  BOOST_TEST(handOverSiteMail(s.context, s.gate, *s.link) == 0u);
  s.takeEvents();
  BOOST_TEST(s.state(key) == "delivered");
  BOOST_REQUIRE(s.fake.delivered().size() == 1u);
  const auto copy = s.fake.delivered().front().copy;
  BOOST_TEST((copy.kind == app::Copy::Kind::Notice));
  BOOST_TEST(copy.key == key);
  BOOST_TEST(copy.mailFrom.empty());
}

BOOST_AUTO_TEST_CASE(a_mail_leaves_once_wherever_the_worker_dies) {
  for (const std::string step : {"submit", "submitted"}) {
    for (const bool eventFirst : {false, true}) {
      Site s;
      const auto key = s.send();
      s.fake.onStep = [&](const std::string& name) {
        if (name == step) throw Error(ErrorKind::Unavailable, "the worker died");
      };
      BOOST_CHECK_THROW(handOverSiteMail(s.context, s.gate, *s.link), Error);
      s.fake.onStep = [](const std::string&) {};
      BOOST_TEST(s.state(key) == "planned");
      s.link = s.connect();
      if (eventFirst) s.takeEvents();  // the gateway may forget the key from here on
      handOverSiteMail(s.context, s.gate, *s.link);
      s.takeEvents();
      BOOST_TEST(s.fake.delivered().size() == 1u);
      BOOST_TEST(s.state(key) == "delivered");
    }
  }
}

BOOST_AUTO_TEST_CASE(a_failure_is_recorded_with_what_the_gateway_said) {
  Site s;
  s.fake.outcome = [](const app::Copy&) { return app::DeliveryEvent::Outcome::Blocked; };
  const auto key = s.send();
  handOverSiteMail(s.context, s.gate, *s.link);
  s.takeEvents();
  BOOST_TEST(s.state(key) == "failed");
}

BOOST_AUTO_TEST_SUITE_END()
