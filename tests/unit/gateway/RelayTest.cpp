// Attack 15 with relays: which addresses elsewhere are taken from whom, by whole sessions against the real directory.
#include "gateway/RoutingDirectory.h"
#include "gateway/smtp/PendingWork.h"
#include "gateway/smtp/SmtpSession.h"
#include "tests/support/TempFolder.h"
#include "tests/unit/gateway/smtp/Fakes.h"

using namespace postern;
using namespace postern::gateway;
using namespace std::string_literals;

namespace {

constexpr auto Relay = "192.0.2.7";
constexpr auto Stranger = "198.51.100.7";

app::RoutingView view() {
  app::RoutingView made;
  made.listDomains = {"lists.example"};
  made.addresses = {{"board@lists.example", "board@lists.example", true, app::RoutedAddress::Role::List}};
  made.relays = {{"192.0.2.0/24", "example.org", "outbound@lists.example"},
                 {"2001:db8::/64", "example.org", "outbound@lists.example"}};
  return made;
}

struct Fixture {
  test::TempFolder folder;
  RoutingFile file{folder / "routing"};
  std::unique_ptr<RoutingDirectory> directory;
  fakes::FakeInspector inspector;
  fakes::FakeAcceptor acceptor;
  fakes::FakeObserver observer;
  FakeClock clock{fromMicros(1'772'366'400'000'000)};
  SessionSettings settings;

  Fixture() {
    settings.hostName = "mx.lists.example";
    file.set(view());
    directory = std::make_unique<RoutingDirectory>(file);
  }

  bool takes(const char* client, const char* from, const char* to) const {
    return directory->outbound({client, {}}, *mail::Address::parse(from), *mail::Address::parse(to)).has_value();
  }

  struct Talk {
    Ports ports;
    SmtpSession session;

    Talk(Fixture& at, const char* client)
        : ports{*at.directory, at.inspector, at.acceptor, at.observer, at.clock},
          session(at.settings, ports, {client, ""}) {
      session.greet();
      session.takeOutput();
      ask("EHLO client.example");
    }
    std::string ask(const std::string& line) {
      session.feed(line + "\r\n");
      answerPending(session, ports);
      return session.takeOutput();
    }
    // The codes of the answer, as in "550 5.7.1".
    std::string rcpt(const std::string& path) { return ask("RCPT TO:" + path).substr(0, 9); }
  };
};

// Another server could read any of these as a way to somewhere else; nothing of them is a plain address elsewhere.
const std::vector<std::string> ForeignForms = {
    "<user%other.example@foreign.example>",
    "<other.example!user@foreign.example>",
    "<\"user@other.example\"@foreign.example>",
    "<\"us er\"@foreign.example>",
    "<user@[127.0.0.1]>",
    "<user@[IPv6:::1]>",
    "<user@foreign.example.>",
    "<user@foreign.example\0.other.example>"s,
    "<user@foreign.example@other.example>",
    "<user@localhost>",
    "<>",
    "<user%foreign.example@lists.example>",
    "<foreign.example!user@lists.example>",
    "<\"user@foreign.example\"@lists.example>",
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(gateway_Relay, Fixture)

BOOST_AUTO_TEST_CASE(no_foreign_form_is_taken_even_from_a_relay) {
  settings.maxErrors = 100;
  Talk talk(*this, Relay);
  BOOST_TEST(talk.ask("MAIL FROM:<ann@example.org>").starts_with("250"));
  for (const auto& form : ForeignForms) BOOST_TEST(talk.rcpt(form).starts_with("5"), form);
  BOOST_TEST(talk.rcpt("<user@foreign.example>") == "250 2.1.5");
}

BOOST_AUTO_TEST_CASE(no_form_of_an_address_elsewhere_is_taken_from_a_stranger) {
  settings.maxErrors = 100;
  Talk talk(*this, Stranger);
  BOOST_TEST(talk.ask("MAIL FROM:<ann@example.org>").starts_with("250"));
  for (const auto& form : ForeignForms) BOOST_TEST(talk.rcpt(form).starts_with("5"), form);
  for (const auto* form : {"<user@foreign.example>", "<@lists.example:user@foreign.example>",
                           "<@foreign.example:user@foreign.example>", "<user@xn--bcher-kva.example>",
                           "<user@b\xc3\xbc"
                           "cher.example>"})
    BOOST_TEST(talk.rcpt(form) == "550 5.7.1", form);
}

// RFC 5321 §4.1.1.3: the route is dropped, the mailbox counts.
BOOST_AUTO_TEST_CASE(a_source_route_from_a_relay_means_its_mailbox_and_nothing_on_the_way) {
  Talk talk(*this, Relay);
  talk.ask("MAIL FROM:<ann@example.org>");
  BOOST_TEST(talk.rcpt("<@evil.example,@two.example:user@foreign.example>") == "250 2.1.5");
  // Quotes that nothing needs are no form of their own (RFC 5321 §4.1.2), and go no further.
  BOOST_TEST(talk.rcpt("<\"user\"@foreign.example>") == "250 2.1.5");
  talk.ask("DATA");
  BOOST_TEST(talk.ask("Subject: Secure: x\r\n\r\ntext\r\n.").starts_with("250"));
  BOOST_REQUIRE_EQUAL(acceptor.accepted.size(), 1u);
  BOOST_REQUIRE_EQUAL(acceptor.accepted.front().recipients.size(), 1u);
  BOOST_TEST(acceptor.accepted.front().recipients.front() == "user@foreign.example");
}

BOOST_AUTO_TEST_CASE(a_domain_in_unicode_is_the_same_as_its_ascii_form) {
  Talk talk(*this, Relay);
  talk.ask("MAIL FROM:<ann@example.org> SMTPUTF8");
  BOOST_TEST(talk.rcpt("<user@b\xc3\xbc"
                       "cher.example>") == "250 2.1.5");
  BOOST_TEST(talk.rcpt("<gr\xc3\xbc\xc3\x9f"
                       "e@foreign.example>") == "550 5.7.1");
  talk.ask("DATA");
  talk.ask("Subject: Secure: x\r\n\r\ntext\r\n.");
  BOOST_REQUIRE_EQUAL(acceptor.accepted.size(), 1u);
  BOOST_REQUIRE_EQUAL(acceptor.accepted.front().recipients.size(), 1u);
  BOOST_TEST(acceptor.accepted.front().recipients.front() == "user@xn--bcher-kva.example");
}

BOOST_AUTO_TEST_CASE(lists_and_outsiders_do_not_share_a_transaction) {
  Talk talk(*this, Relay);
  talk.ask("MAIL FROM:<ann@example.org>");
  BOOST_TEST(talk.rcpt("<board@lists.example>") == "250 2.1.5");
  BOOST_TEST(talk.rcpt("<user@foreign.example>").starts_with("452"));
  talk.ask("RSET");
  talk.ask("MAIL FROM:<ann@example.org>");
  BOOST_TEST(talk.rcpt("<user@foreign.example>") == "250 2.1.5");
  BOOST_TEST(talk.rcpt("<board@lists.example>").starts_with("452"));
  BOOST_TEST(talk.rcpt("<other@foreign.example>") == "250 2.1.5");
}

BOOST_AUTO_TEST_CASE(an_empty_sender_reaches_nobody_elsewhere) {
  Talk talk(*this, Relay);
  talk.ask("MAIL FROM:<>");
  BOOST_TEST(talk.rcpt("<user@foreign.example>") == "550 5.7.1");
}

BOOST_AUTO_TEST_CASE(outbound_asks_for_the_range_and_the_senders_domain_both) {
  BOOST_TEST(takes(Relay, "ann@example.org", "user@foreign.example"));
  BOOST_TEST(takes("2001:db8::25", "ann@example.org", "user@foreign.example"));
  BOOST_TEST(takes("::ffff:192.0.2.7", "ann@example.org", "user@foreign.example"));
  BOOST_TEST(!takes(Stranger, "ann@example.org", "user@foreign.example"));
  BOOST_TEST(!takes("192.0.3.7", "ann@example.org", "user@foreign.example"));
  BOOST_TEST(!takes("2001:db8:0:1::25", "ann@example.org", "user@foreign.example"));
  BOOST_TEST(!takes("", "ann@example.org", "user@foreign.example"));
  BOOST_TEST(!takes("unknown", "ann@example.org", "user@foreign.example"));
  BOOST_TEST(!takes(Relay, "ann@sub.example.org", "user@foreign.example"));
  BOOST_TEST(!takes(Relay, "ann@notexample.org", "user@foreign.example"));
  BOOST_TEST(!takes(Relay, "ann@foreign.example", "user@foreign.example"));
  BOOST_TEST(!takes(Relay, "ann@example.org", "nobody@lists.example"));
}

BOOST_AUTO_TEST_CASE(outbound_names_the_list_and_follows_the_view) {
  const auto route = directory->outbound({Relay, {}}, *mail::Address::parse("ann@example.org"),
                                         *mail::Address::parse("User@Foreign.example"));
  BOOST_REQUIRE(route.has_value());
  BOOST_TEST((route->role == app::RoutedAddress::Role::Outbound));
  BOOST_TEST(route->listName == "outbound@lists.example");
  BOOST_TEST(route->secure);
  auto without = view();
  without.revision = 2;
  without.relays.clear();
  file.set(without);
  directory->refresh();
  BOOST_TEST(!takes(Relay, "ann@example.org", "user@foreign.example"));
}

BOOST_AUTO_TEST_CASE(a_range_that_cannot_be_read_lets_nobody_in) {
  auto broken = view();
  broken.revision = 2;
  broken.relays = {{"192.0.2.0", "", "outbound@lists.example"}, {"everybody", "example.org", "outbound@lists.example"}};
  file.set(broken);
  directory->refresh();
  BOOST_TEST(!takes(Relay, "ann@example.org", "user@foreign.example"));
}

// Every combination of listener, TLS, sign-in, client, sender and recipient: an address elsewhere is taken of a relay
// for its domain, or of the person who has signed in under TLS and writes as himself; of nobody else, in no form.
BOOST_AUTO_TEST_CASE(is_never_an_open_relay) {
  struct Ann : SignIns {
    Outcome signIn(std::string_view, std::string_view, const Secret& password) override {
      if (password.view() != "right") return {Outcome::Kind::Wrong, {}, {}};
      return {Outcome::Kind::Right, {"ann", "ann@example.org"}, {}};
    }
  } signIns;
  const app::TlsFacts tls{"TLSv1.3", "TLS_AES_256_GCM_SHA384", 256, "none", {}};
  const char* signs[] = {"", "AUTH PLAIN AGFubgByaWdodA==", "AUTH PLAIN AGFubgB3cm9uZw=="};
  int taken = 0, tried = 0;
  for (const bool submission : {false, true})
    for (const bool encrypted : {false, true})
      for (const std::string sign : signs)
        for (const std::string client : {Relay, Stranger})
          for (const std::string from : {"ann@example.org", "bob@example.org", "ann@other.example", ""})
            for (const std::string to : {"eve@elsewhere.example", "eve%elsewhere.example@lists.example",
                                         "@lists.example:eve@elsewhere.example", "eve%a.example@elsewhere.example",
                                         "a!eve@elsewhere.example", "\"eve@b.example\"@elsewhere.example",
                                         "eve@[192.0.2.99]", "elsewhere.example!eve@lists.example", "eve@elsewhere"}) {
              auto mine = settings;
              mine.submission = submission;
              const Ports ports{*directory, inspector, acceptor, observer, clock, &signIns};
              SmtpSession session(mine, ports, {client, ""}, encrypted ? tls : app::TlsFacts{});
              session.greet();
              const auto ask = [&](const std::string& line) {
                session.takeOutput();
                session.feed(line + "\r\n");
                answerPending(session, ports);
                return session.takeOutput();
              };
              ask("EHLO client.example");
              if (!sign.empty()) ask(sign);
              ask("MAIL FROM:<" + from + ">");
              const bool took = ask("RCPT TO:<" + to + ">").starts_with("250");
              const bool plain = to == "eve@elsewhere.example" || to.starts_with("@lists");
              const bool relay = !submission && client == Relay && from.ends_with("@example.org");
              const bool person = submission && encrypted && sign == signs[1] && from == "ann@example.org";
              BOOST_TEST(took == (plain && (relay || person)),
                         submission << encrypted << " " << sign << " " << client << " " << from << " " << to);
              taken += took ? 1 : 0;
              ++tried;
            }
  BOOST_TEST(taken > 0);
  BOOST_TEST(tried == 2 * 2 * 3 * 2 * 4 * 9);
}

namespace {

const TimePoint Now = fromMicros(1'772'366'400'000'000);
const std::string Print(64, 'a');

net::ClientCertificate shown() {
  net::ClientCertificate made;
  made.fingerprint = Print;
  made.subject = "CN=mail.example.org,O=Org";
  made.issuer = "CN=Org CA";
  made.names = {"mail.example.org", "two.example.org"};
  made.notBefore = Now - std::chrono::days(1);
  made.notAfter = Now + std::chrono::days(1);
  made.trusted = true;
  return made;
}

}  // namespace

// Attack 15 with certificates: the wrong one, or none, is a stranger's.
BOOST_AUTO_TEST_CASE(a_relay_with_a_certificate_is_one_with_exactly_that) {
  auto made = view();
  made.relays = {{"any", "pinned.example", "outbound@lists.example", Print, "", ""},
                 {"192.0.2.0/24", "both.example", "outbound@lists.example", Print, "", ""},
                 {"any", "named.example", "outbound@lists.example", "", "CN=Org CA", "two.example.org"},
                 {"any", "subject.example", "outbound@lists.example", "", "CN=Org CA", "CN=mail.example.org,O=Org"},
                 {"any", "open.example", "outbound@lists.example"},
                 {"0.0.0.0/0", "open.example", "outbound@lists.example"}};
  file.set(made);
  RoutingDirectory at(file, clock);
  const auto takes = [&](const ClientFacts& client, const char* domain) {
    return at
        .outbound(client, *mail::Address::parse("ann@" + std::string(domain)),
                  *mail::Address::parse("user@foreign.example"))
        .has_value();
  };
  const ClientFacts right{Stranger, {}, shown()};
  for (const auto* domain : {"pinned.example", "named.example", "subject.example"}) BOOST_TEST(takes(right, domain));
  BOOST_TEST(at.isRelay(right));
  BOOST_TEST(!takes(right, "both.example"), "the address counts, too");
  BOOST_TEST(takes({Relay, {}, shown()}, "both.example"));
  BOOST_TEST(!takes(right, "open.example"), "any address without a certificate is nobody's");
  BOOST_TEST(!takes({Relay, {}, {}}, "both.example"));
  BOOST_TEST(!at.isRelay({Relay, {}, {}}));

  const auto refusesAll = [&](const net::ClientCertificate& certificate) {
    const ClientFacts client{Relay, {}, certificate};
    for (const auto* domain : {"pinned.example", "both.example", "named.example", "subject.example", "open.example"})
      BOOST_TEST(!takes(client, domain), domain);
    BOOST_TEST(!at.isRelay(client));
  };
  auto expired = shown();
  expired.notAfter = Now - std::chrono::seconds(1);
  refusesAll(expired);
  auto early = shown();
  early.notBefore = Now + std::chrono::seconds(1);
  refusesAll(early);
  auto other = shown();
  other.fingerprint = std::string(64, 'b');
  other.issuer = "CN=Other CA";
  refusesAll(other);
  auto forged = shown();  // the same names under the same issuer's name, by somebody else
  forged.fingerprint = std::string(64, 'b');
  forged.trusted = false;
  refusesAll(forged);
  auto unnamed = shown();
  unnamed.fingerprint = std::string(64, 'b');
  unnamed.subject = "CN=else";
  unnamed.names.clear();
  refusesAll(unnamed);
  auto selfMade = shown();  // a pinned certificate needs no issuer that we know
  selfMade.trusted = false;
  BOOST_TEST(takes({Stranger, {}, selfMade}, "pinned.example"));
  BOOST_TEST(at.pinsCertificate(Print));
  BOOST_TEST(!at.pinsCertificate(""));
  BOOST_TEST(at.asksCertificate(Stranger));
  BOOST_TEST(!takes({Stranger, {}, shown(), false}, "pinned.example"), "nobody said for whom");
}

BOOST_AUTO_TEST_SUITE_END()
