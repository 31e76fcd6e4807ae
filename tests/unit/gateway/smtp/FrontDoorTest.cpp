// The front door with real sockets and TLS: names by SNI, certificates of clients, demands of listeners, load
// balancers.
#include "gateway/RoutingDirectory.h"
#include "tests/unit/gateway/smtp/ServerFixture.h"

#include <algorithm>
#include <fstream>
#include <thread>

using namespace postern;
using namespace postern::gateway;
using namespace std::string_literals;

namespace {

const std::string Header = "PROXY TCP4 198.51.100.7 192.0.2.25 40000 25\r\n";

struct FrontDoor : fakes::ServerFixture {
  FrontDoor() { site.clock.advance(SystemClock().now() - site.clock.now()); }  // certificates are made for now
  // The only listener of servers, in clear, with these words behind its address.
  void open(const std::string& words, const std::string& tlsWords = {}) {
    settings.listen = {{"127.0.0.1 " + words, 0}};
    if (!tlsWords.empty()) settings.listenTls = {{"127.0.0.1 " + tlsWords, 0}};
    start();
  }
  fakes::RawClient client() {
    auto made = plain();
    made.reply();
    made.ask("EHLO client.example");
    return made;
  }
  fakes::RawClient overTls(const std::string& name, const std::filesystem::path& certificate = {}) {
    auto made = client();
    made.ask("STARTTLS");
    if (made.startTls(0, nullptr, name, certificate)) made.ask("EHLO client.example");
    return made;
  }
  std::filesystem::path certificateFor(const std::string& name) {
    const auto at = folder / name;
    std::filesystem::create_directories(at);
    fakes::writeCertificate(at, name);
    return at;
  }
  net::TlsServerContext::Named named(const std::string& name) {
    const auto at = certificateFor(name);
    return {name, at / "cert.pem", at / "key.pem"};
  }
  std::string sendMessage(fakes::RawClient& made) {
    made.ask("MAIL FROM:<a@client.example>");
    made.ask("RCPT TO:<social@lists.example>");
    made.ask("DATA");
    return made.ask("Subject: x\r\n\r\ntext\r\n.");
  }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(gateway_smtp_FrontDoor, FrontDoor)

BOOST_AUTO_TEST_CASE(the_name_that_a_client_asks_for_chooses_the_certificate) {
  tls->setNames({named("old.example"), named("retired.example")});
  BOOST_TEST(tls->problems().empty());
  open("");
  BOOST_TEST(overTls("old.example").certificateName() == "old.example");
  BOOST_TEST(overTls("OLD.example").certificateName() == "old.example");
  BOOST_TEST(overTls("").certificateName() == "first.example");
  BOOST_TEST(overTls("mx.lists.example").certificateName() == "first.example");
  auto old = overTls("retired.example");
  BOOST_TEST(old.certificateName() == "retired.example");
  BOOST_TEST(old.ask("MAIL FROM:<a@client.example>").starts_with("550 5.7.1 retired.example is retired"));
  auto fine = overTls("old.example");
  BOOST_TEST(sendMessage(fine).starts_with("250"));
  const auto uses = site.names.seen();
  BOOST_TEST(std::count(uses.begin(), uses.end(), "old.example 127.0.0.1 session") == 3);
  BOOST_TEST(std::count(uses.begin(), uses.end(), "old.example 127.0.0.1 message") == 1);
  BOOST_TEST(std::count(uses.begin(), uses.end(), "retired.example 127.0.0.1 refusal") == 1);
}

BOOST_AUTO_TEST_CASE(names_that_are_none_get_the_first_certificate_and_no_harm_is_done) {
  tls->setNames({named("old.example")});
  open("");
  for (const auto& name : {std::string(255, 'a'), std::string(254, 'a') + ".", "192.0.2.1"s, "old.example\x01"s,
                           "*.example"s, "old_example"s, "-"s, "."s, "..."s, "\xff\xfe"s})
    BOOST_TEST(overTls(name).certificateName() == "first.example", name);
  BOOST_TEST(overTls("old.example.").certificateName() == "old.example");
  BOOST_TEST(overTls("old.example").certificateName() == "old.example");
}

BOOST_AUTO_TEST_CASE(certificates_of_names_change_without_a_session_ending_and_a_broken_one_keeps_the_old) {
  auto old = named("old.example");
  tls->setNames({old});
  open("");
  auto before = overTls("old.example");
  std::ofstream(old.certificateChain) << "nonsense";
  tls->setNames({old});
  BOOST_REQUIRE_EQUAL(tls->problems().size(), 1u);
  BOOST_TEST(tls->problems().front().first == "old.example");
  BOOST_TEST(overTls("old.example").certificateName() == "old.example", "what worked stays in force");
  BOOST_TEST(overTls("").certificateName() == "first.example");
  BOOST_TEST(before.ask("NOOP").starts_with("250"));
  tls->setNames({});
  BOOST_TEST(overTls("old.example").certificateName() == "first.example");
  BOOST_TEST(before.ask("NOOP").starts_with("250"));
  BOOST_TEST(before.certificateName() == "old.example");
  tls->setNames({{"never.example", folder / "no.pem", folder / "no.key"}});
  BOOST_TEST(overTls("never.example").certificateName() == "first.example");
}

BOOST_AUTO_TEST_CASE(a_listener_may_demand_tls_and_its_version) {
  open("tls=required tls-min=1.3");
  auto clear = client();
  BOOST_TEST(clear.ask("MAIL FROM:<a@client.example>").starts_with("530 5.7.0"));
  clear.ask("STARTTLS");
  BOOST_TEST(!clear.startTls(TLS1_2_VERSION), "older TLS than the listener demands");
  auto fine = overTls("");
  BOOST_TEST(fine.ask("MAIL FROM:<a@client.example>").starts_with("250"));
}

BOOST_AUTO_TEST_CASE(clients_are_asked_for_a_certificate_where_the_listener_says_so) {
  open("certificate=required");
  auto none = overTls("");
  BOOST_TEST(none.ask("MAIL FROM:<a@client.example>") == "530 5.7.0 a client certificate is needed here: none came");
  auto self = overTls("", certificateFor("relay.example"));
  BOOST_TEST(self.ask("MAIL FROM:<a@client.example>").find("self-signed") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_connection_with_a_certificate_is_never_resumed_and_says_what_it_is_worth) {
  open("certificate=ask");
  auto first = overTls("", certificateFor("relay.example"));
  BOOST_TEST(sendMessage(first).starts_with("250"));
  const auto& content = site.acceptor.accepted.back();
  BOOST_TEST(content.tls.verification == "self-signed certificate");
  BOOST_TEST(content.tls.peerName == "CN=relay.example");
  BOOST_TEST(content.content.find("; client certificate: self-signed certificate)") != std::string::npos);
  const std::unique_ptr<SSL_SESSION, decltype(&SSL_SESSION_free)> session(SSL_get1_session(first.ssl()),
                                                                          SSL_SESSION_free);
  auto second = client();
  second.ask("STARTTLS");
  BOOST_REQUIRE(second.startTls(0, session.get()));
  BOOST_TEST(SSL_session_reused(second.ssl()) == 0);
}

BOOST_AUTO_TEST_CASE(a_listener_that_asks_for_none_gets_none) {
  open("");
  auto made = overTls("", certificateFor("relay.example"));
  BOOST_TEST(sendMessage(made).starts_with("250"));
  BOOST_TEST(site.acceptor.accepted.back().tls.verification == "none");
  BOOST_TEST(site.acceptor.accepted.back().tls.peerName.empty());
}

BOOST_AUTO_TEST_CASE(a_load_balancer_says_who_the_client_is) {
  open("proxy=127.0.0.1", "proxy=127.0.0.1");
  auto made = plain();
  made.send(Header);
  BOOST_TEST(made.reply().starts_with("220"));
  made.ask("EHLO client.example");
  BOOST_TEST(sendMessage(made).starts_with("250"));
  BOOST_TEST(site.acceptor.accepted.back().clientAddress == "198.51.100.7");
  BOOST_TEST(site.acceptor.accepted.back().content.find("(unknown [198.51.100.7])") != std::string::npos);

  auto slow = plain();
  for (const char byte : Header + "EHLO early.example\r\n") slow.send({&byte, 1});
  BOOST_TEST(slow.reply().starts_with("220"));
  BOOST_TEST(slow.reply().starts_with("250"));

  auto tlsMade = tlsClient();
  tlsMade.send("PROXY TCP6 2001:db8::7 2001:db8::25 40000 465\r\n");
  BOOST_REQUIRE(tlsMade.startTls());
  BOOST_TEST(tlsMade.reply().starts_with("220"));
  tlsMade.ask("EHLO client.example");
  BOOST_TEST(sendMessage(tlsMade).starts_with("250"));
  BOOST_TEST(site.acceptor.accepted.back().clientAddress == "2001:db8::7");
}

BOOST_AUTO_TEST_CASE(only_the_balancer_that_is_named_may_come) {
  open("proxy=192.0.2.7", "proxy=192.0.2.7");
  auto made = plain();
  made.send(Header);
  BOOST_TEST(made.line() == "554 mx.lists.example takes no connections from your address here");
  auto over = tlsClient();
  if (over.startTls()) BOOST_TEST(over.line().starts_with("554 "));
}

BOOST_AUTO_TEST_CASE(without_a_right_header_nothing_is_said) {
  settings.limits.proxyHeader = std::chrono::milliseconds(300);
  open("proxy=127.0.0.1");
  for (const auto& bytes : {"EHLO client.example\r\n"s, "PROXY TCP4 nonsense\r\n"s, "PROXY " + std::string(500, 'x'),
                            "\x16\x03\x01\x02\x00\x01\x00\x01\xfc"s}) {
    auto made = plain();
    made.send(bytes);
    BOOST_TEST(made.line() == "<end>", bytes);
  }
  auto silent = plain();
  BOOST_TEST(silent.line() == "<end>", "a balancer that says nothing is not waited for");
  auto half = plain();
  half.send("PROXY TCP4 198.51");
  BOOST_TEST(half.line() == "<end>");
}

BOOST_AUTO_TEST_CASE(a_second_header_is_no_header_in_clear_or_under_tls) {
  open("proxy=127.0.0.1");
  auto made = plain();
  made.send(Header + "PROXY TCP4 127.0.0.1 192.0.2.25 1 25\r\n");
  made.reply();
  BOOST_TEST(made.reply().starts_with("500"));
  made.ask("EHLO client.example");
  made.ask("STARTTLS");
  BOOST_REQUIRE(made.startTls());
  BOOST_TEST(made.ask("PROXY TCP4 127.0.0.1 192.0.2.25 1 25").starts_with("500"));
  made.ask("EHLO client.example");
  BOOST_TEST(sendMessage(made).starts_with("250"));
  BOOST_TEST(site.acceptor.accepted.back().clientAddress == "198.51.100.7");
}

BOOST_AUTO_TEST_CASE(a_header_elsewhere_is_an_unknown_command) {
  open("");
  auto made = plain();
  made.reply();
  BOOST_TEST(made.ask("PROXY TCP4 198.51.100.7 192.0.2.25 40000 25").starts_with("500"));
}

BOOST_AUTO_TEST_CASE(limits_count_the_clients_behind_a_balancer) {
  settings.maxConnectionsPerClient = 2;
  open("proxy=127.0.0.1");
  std::vector<fakes::RawClient> open;
  const auto connect = [&](const std::string& client) {
    auto& made = open.emplace_back(plain());
    made.send("PROXY TCP4 " + client + " 192.0.2.25 40000 25\r\n");
    return made.reply().substr(0, 3);
  };
  BOOST_TEST(connect("198.51.100.7") == "220");
  BOOST_TEST(connect("198.51.100.7") == "220");
  BOOST_TEST(connect("198.51.100.7") == "421");
  BOOST_TEST(connect("198.51.100.8") == "220");
  BOOST_TEST(connect("198.51.100.9") == "220");
  open.clear();
  for (int i = 0; i < 200 && server->connections() > 0; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  BOOST_TEST(connect("198.51.100.7") == "220", "places are given back");
}

BOOST_AUTO_TEST_CASE(a_balancer_that_says_nothing_may_look_whether_we_live) {
  open("proxy=127.0.0.1");
  for (const auto& header : {"PROXY UNKNOWN\r\n"s, "\r\n\r\n\0\r\nQUIT\n\x20\0\0\0"s}) {
    auto made = plain();
    made.send(header);
    BOOST_TEST(made.reply().starts_with("220"));
    made.ask("EHLO balancer.example");
    BOOST_TEST(made.ask("MAIL FROM:<a@client.example>").starts_with("451 4.7.0"));
    BOOST_TEST(made.ask("QUIT").starts_with("221"));
  }
}

BOOST_AUTO_TEST_CASE(a_client_behind_a_balancer_is_no_filter) {
  settings.session.xclientHosts = {*net::IpRange::parse("127.0.0.0/8")};
  open("proxy=127.0.0.1");
  auto made = plain();
  made.send(Header);
  made.reply();
  made.ask("EHLO client.example");
  BOOST_TEST(made.ask("XCLIENT ADDR=192.0.2.1").starts_with("500"));
}

BOOST_AUTO_TEST_SUITE_END()
