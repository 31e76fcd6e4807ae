#include "core/smtp/ClientConnection.h"
#include "tests/support/DialogPeer.h"

using namespace postern;
using namespace postern::smtp;
using namespace postern::test;
using namespace std::string_literals;
using Outcome = ClientResult::Outcome;

namespace {

struct Fixture {
  TlsTestCertificates certificates;
  net::TlsClient tls{certificates.caFile()};
  ClientSettings settings{"gate.example", std::chrono::seconds(5), std::chrono::seconds(5)};
  std::string headBytes = "Subject: a\r\n\r\n.first\r\n";
  std::string tailBytes;

  Fixture() {
    for (int i = 0; i < 3000; ++i) tailBytes.append(76, 'A').append("\r\n");
  }

  auto open(const DialogPeer& peer, ClientTls mode = ClientTls::Opportunistic) {
    return ClientConnection::open(settings, {"mx.example", "127.0.0.1", peer.port(), mode, {"mx.example"}}, tls);
  }
  ClientResult sendOne(ClientConnection& connection) {
    const auto head = ClientText::check(headBytes);
    const auto tail = ClientText::check(tailBytes);
    return connection.send({"a@b", "c@d", &*head, &*tail});
  }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(core_smtp_ClientConnection, Fixture)

BOOST_AUTO_TEST_CASE(delivers_head_and_tail_byte_for_byte_in_clear_and_over_tls) {
  for (const bool useTls : {false, true}) {
    MailSink sink;
    if (useTls) sink.certificate = certificates.server("mx.example");
    DialogPeer peer(std::ref(sink));
    auto connection = open(peer);
    BOOST_REQUIRE(connection.has_value());
    for (int i = 0; i < 3; ++i) BOOST_TEST((sendOne(**connection).outcome == Outcome::Accepted));
    (*connection)->quit();
    const auto mails = sink.mails();
    BOOST_REQUIRE_EQUAL(mails.size(), 3u);
    BOOST_TEST(mails[2].content == "Subject: a\r\n\r\n..first\r\n" + tailBytes);
    BOOST_TEST(mails[2].tls == useTls);
    BOOST_TEST((*connection)->tls().version.empty() == !useTls);
    if (useTls) BOOST_TEST((*connection)->tls().verification == "verified");
    BOOST_TEST(peer.connections() == 1);
  }
}

BOOST_AUTO_TEST_CASE(pipelines_the_next_message_behind_the_dot) {
  MailSink sink;
  DialogPeer peer(std::ref(sink));
  auto connection = open(peer);
  BOOST_REQUIRE(connection.has_value());
  const auto head = ClientText::check(headBytes);
  const std::string recipients[] = {"r0@x", "r1@x", "r2@x", "r3@x"};
  for (std::size_t i = 0; i < 4; ++i) {
    const ClientMessage message{"a@b", recipients[i], &*head, nullptr};
    const ClientMessage next{"a@b", recipients[(i + 1) % 4], &*head, nullptr};
    BOOST_TEST(((*connection)->send(message, i < 3 ? &next : nullptr).outcome == Outcome::Accepted));
  }
  const auto mails = sink.mails();
  BOOST_REQUIRE_EQUAL(mails.size(), 4u);
  for (std::size_t i = 0; i < 4; ++i) BOOST_TEST(mails[i].recipient == "RCPT TO:<" + recipients[i] + ">");
}

BOOST_AUTO_TEST_CASE(ends_content_without_a_last_line_end_properly) {
  MailSink sink;
  DialogPeer peer(std::ref(sink));
  auto connection = open(peer);
  const auto head = ClientText::check("Subject: a\r\n\r\nno line end");
  BOOST_TEST(((*connection)->send({"a@b", "c@d", &*head, nullptr}).outcome == Outcome::Accepted));
  BOOST_TEST(sink.mails().at(0).content == "Subject: a\r\n\r\nno line end\r\n");
}

BOOST_AUTO_TEST_CASE(verified_mode_sends_nothing_to_whom_it_cannot_verify) {
  const TlsTestCertificates others;
  const std::optional<TlsTestCertificates::Server> wrong[] = {
      std::nullopt, certificates.server("other.example"), certificates.expired("mx.example"),
      certificates.selfSigned("mx.example"), others.server("mx.example")};
  for (const auto& certificate : wrong) {
    MailSink sink;
    sink.certificate = certificate;
    std::mutex mutex;
    std::vector<std::string> heard;
    sink.reply = [&](const std::string& line) {
      const std::lock_guard lock(mutex);
      heard.push_back(line);
      return std::string();
    };
    DialogPeer peer(std::ref(sink));
    const auto connection = open(peer, ClientTls::Verified);
    BOOST_TEST(!connection.has_value());
    BOOST_TEST(!connection.error().text.empty());
    const std::lock_guard lock(mutex);
    for (const auto& line : heard) BOOST_TEST(!line.starts_with("MAIL"), line);
  }
  MailSink sink;
  sink.certificate = certificates.server("mx.example");
  DialogPeer peer(std::ref(sink));
  const auto connection = open(peer, ClientTls::Verified);
  BOOST_REQUIRE(connection.has_value());
  BOOST_TEST((*connection)->tls().verified);
}

BOOST_AUTO_TEST_CASE(opportunistic_mode_says_what_was_not_proven) {
  MailSink sink;
  sink.certificate = certificates.selfSigned("mx.example");
  DialogPeer peer(std::ref(sink));
  const auto connection = open(peer);
  BOOST_REQUIRE(connection.has_value());
  BOOST_TEST(!(*connection)->tls().verified);
  BOOST_TEST((*connection)->tls().verification == "self-signed certificate");
  BOOST_TEST((*connection)->tls().peerName == "/CN=mx.example");
  BOOST_TEST((*connection)->tls().bits >= 128);
}

BOOST_AUTO_TEST_CASE(refuses_replies_injected_before_the_handshake) {
  DialogPeer peer([](DialogSession& session) {
    session.send("220 hi\r\n");
    session.line();
    session.send("250-sink\r\n250 STARTTLS\r\n");
    session.line();
    session.send("220 go\r\n250-evil\r\n250 SIZE 1\r\n");
    session.hang();
  });
  const auto connection = open(peer);
  BOOST_REQUIRE(!connection.has_value());
  BOOST_TEST(connection.error().text.find("before TLS") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(refuses_old_tls_versions) {
  const auto certificate = certificates.server("mx.example");
  DialogPeer peer([&](DialogSession& session) {
    session.send("220 hi\r\n");
    session.line();
    session.send("250-sink\r\n250 STARTTLS\r\n");
    session.line();
    session.send("220 go\r\n");
    session.startTls(certificate, TLS1_1_VERSION);
  });
  const auto connection = open(peer);
  BOOST_REQUIRE(!connection.has_value());
  BOOST_TEST(connection.error().tlsHandshake);
}

BOOST_AUTO_TEST_CASE(gives_up_on_silent_and_dripping_servers_in_time) {
  settings.replyTimeout = std::chrono::milliseconds(300);
  const auto start = std::chrono::steady_clock::now();
  DialogPeer silent([](DialogSession& session) { session.hang(); });
  BOOST_TEST(!open(silent).has_value());
  DialogPeer dripping([](DialogSession& session) {
    session.send("220 ");
    for (int i = 0; i < 100; ++i) {
      session.send("x");
      pollfd none{-1, 0, 0};
      ::poll(&none, 1, 50);
    }
  });
  BOOST_TEST(!open(dripping).has_value());
  DialogPeer silentTls([](DialogSession& session) {
    session.send("220 hi\r\n");
    session.line();
    session.send("250-sink\r\n250 STARTTLS\r\n");
    session.line();
    session.send("220 go\r\n");
    session.hang();
  });
  BOOST_TEST(!open(silentTls).has_value());
  BOOST_TEST((std::chrono::steady_clock::now() - start < std::chrono::seconds(4)));
}

BOOST_AUTO_TEST_CASE(gives_up_on_a_server_that_stops_reading) {
  settings.replyTimeout = std::chrono::milliseconds(300);
  for (int i = 0; i < 200'000; ++i) tailBytes.append(76, 'A').append("\r\n");
  DialogPeer peer([](DialogSession& session) {
    session.send("220 hi\r\n");
    session.line();
    session.send("250-sink\r\n250 PIPELINING\r\n");
    session.line();
    session.line();
    session.line();
    session.send("250 a\r\n250 b\r\n354 go\r\n");
    pollfd none{-1, 0, 0};
    ::poll(&none, 1, 3000);
  });
  auto connection = open(peer);
  BOOST_REQUIRE(connection.has_value());
  const auto start = std::chrono::steady_clock::now();
  const auto result = sendOne(**connection);
  BOOST_TEST((result.outcome == Outcome::Temporary));
  BOOST_TEST(result.contentSent);
  BOOST_TEST((std::chrono::steady_clock::now() - start < std::chrono::seconds(6)));
}

BOOST_AUTO_TEST_CASE(survives_a_disconnect_at_every_step) {
  for (const auto& verb : {"EHLO"s, "MAIL"s, "RCPT"s, "DATA"s, "."s}) {
    for (const bool pipelining : {true, false}) {
      MailSink sink;
      if (!pipelining) sink.extensions = {};
      sink.reply = [&](const std::string& line) { return line.starts_with(verb) ? "close"s : ""s; };
      DialogPeer peer(std::ref(sink));
      auto connection = open(peer);
      BOOST_TEST(connection.has_value() == (verb != "EHLO"));
      if (!connection.has_value()) continue;
      const auto result = sendOne(**connection);
      BOOST_TEST((result.outcome == Outcome::Temporary));
      BOOST_TEST(!result.replied);
      BOOST_TEST(result.contentSent == (verb == "."));
      BOOST_TEST(!(*connection)->usable());
    }
  }
}

BOOST_AUTO_TEST_CASE(another_thread_can_break_off_a_wait) {
  DialogPeer peer([](DialogSession& session) { session.hang(); });
  ClientInterrupt interrupt;
  std::thread other([&] {
    pollfd none{-1, 0, 0};
    ::poll(&none, 1, 100);
    interrupt.fire();
  });
  const auto start = std::chrono::steady_clock::now();
  const auto connection =
      ClientConnection::open(settings, {"mx.example", "127.0.0.1", peer.port(), ClientTls::None, {}}, tls, &interrupt);
  other.join();
  BOOST_TEST(!connection.has_value());
  BOOST_TEST((std::chrono::steady_clock::now() - start < std::chrono::seconds(3)));
}

BOOST_AUTO_TEST_CASE(says_why_there_is_no_connection) {
  const auto refused = ClientConnection::open(settings, {"mx.example", "127.0.0.1", 1, ClientTls::None, {}}, tls);
  BOOST_TEST(refused.error().text.find("refused") != std::string::npos);
  const auto noAddress = ClientConnection::open(settings, {"mx.example", "mx.example", 1, ClientTls::None, {}}, tls);
  BOOST_TEST(noAddress.error().text.find("no address") != std::string::npos);
  DialogPeer peer([](DialogSession& session) { session.send("554 5.7.1 go away\r\n"); });
  const auto rejected = open(peer);
  BOOST_TEST(rejected.error().code == 554);
}

BOOST_AUTO_TEST_SUITE_END()
