#include "core/mail/Text.h"
#include "listd/compose/Bounce.h"

using namespace postern;
using namespace postern::listd;
using namespace std::string_literals;

namespace {

Bounce read(const std::string& text) {
  const auto message = mail::Message::parse(text);
  BOOST_REQUIRE(message.has_value());
  return readBounce(*message);
}

std::string dsn(const std::string& blocks, const std::string& more = "") {
  return "From: MAILER-DAEMON@x.example\r\nSubject: Undelivered Mail\r\nAuto-Submitted: auto-replied\r\n" + more +
         "MIME-Version: 1.0\r\nContent-Type: multipart/report; report-type=delivery-status; boundary=\"b\"\r\n\r\n"
         "--b\r\nContent-Type: text/plain\r\n\r\nSorry.\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\n"
         "Reporting-MTA: dns; x.example\r\n\r\n" +
         blocks + "\r\n--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: x\r\n\r\n--b--\r\n";
}

std::string block(const std::string& action, const std::string& status, const std::string& diagnostic = "") {
  return "Final-Recipient: rfc822; m@x.example\r\nAction: " + action + "\r\nStatus: " + status + "\r\n" +
         (diagnostic.empty() ? "" : "Diagnostic-Code: " + diagnostic + "\r\n");
}

std::string plain(const std::string& from, const std::string& subject, const std::string& body,
                  const std::string& more = "") {
  return "From: " + from + "\r\nSubject: " + subject + "\r\n" + more + "\r\n" + body + "\r\n";
}

const std::string Daemon = "Mail Delivery System <Mailer-Daemon@x.example>";

}  // namespace

BOOST_AUTO_TEST_SUITE(listd_compose_Bounce)

BOOST_AUTO_TEST_CASE(reads_the_status_of_a_report) {
  const auto bounce = read(dsn(block("failed", "5.1.1", "smtp; 550 5.1.1 <m@x.example>:\r\n user unknown")));
  BOOST_TEST((bounce.kind == Bounce::Kind::Failure));
  BOOST_TEST(bounce.statusClass == 5);
  BOOST_TEST(bounce.status == "5.1.1");
  BOOST_TEST(bounce.text == "smtp; 550 5.1.1 <m@x.example>: user unknown");
  BOOST_TEST(read(dsn(block("failed", "4.4.1"))).statusClass == 4);
  BOOST_TEST(read(dsn(block("Failed (expired)", "nonsense", "smtp; 554 no"))).statusClass == 5);
  BOOST_TEST(read(dsn(block("failed", "nonsense"))).statusClass == 4);
}

BOOST_AUTO_TEST_CASE(delays_and_successes_never_count) {
  BOOST_TEST((read(dsn(block("delayed", "4.4.1"))).kind == Bounce::Kind::Delay));
  BOOST_TEST(read(dsn(block("delayed", "4.4.1"))).statusClass == 0);
  BOOST_TEST((read(dsn(block("delivered", "2.0.0"))).kind == Bounce::Kind::Success));
  BOOST_TEST((read(dsn(block("relayed", "2.0.0"))).kind == Bounce::Kind::Success));
  BOOST_TEST((read(dsn(block("delayed", "4.4.1") + "\r\n" + block("failed", "5.1.1"))).kind == Bounce::Kind::Failure));
  BOOST_TEST((read(dsn("")).kind == Bounce::Kind::Unknown));
  BOOST_TEST((read(dsn(block("sideways", "5.1.1"))).kind == Bounce::Kind::Unknown));
}

BOOST_AUTO_TEST_CASE(a_refusal_that_says_nothing_of_the_mailbox_does_not_count_against_the_member) {
  const auto counts = [](const std::string& status) { return read(dsn(block("failed", status))).ofMailbox(); };
  for (const auto* status : {"5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.2.0", "5.2.1", "5.2.2", "4.2.2", "5.0.0",
                             "5.4.6", "5.7.13", "5.7.17"})
    BOOST_TEST(counts(status), status);
  // 5.7.30 and 5.7.10: REQUIRETLS, and encryption that is needed (RFC 8689, 5248).
  for (const auto* status : {"5.7.30", "5.7.10", "5.7.1", "5.7.0", "4.7.1", "5.7.26", "5.7.20", "5.7.509", "5.6.0",
                             "5.6.7", "5.3.4", "5.3.0", "5.2.3", "5.4.1", "4.4.7", "5.5.2", "5.1.7", "5.1.8", "5.1.9"})
    BOOST_TEST(!counts(status), status);
  BOOST_TEST(!read(dsn(block("delayed", "4.2.2"))).ofMailbox());
  const auto free = [](const std::string& why) { return read(plain(Daemon, "Undelivered mail", "host said: " + why)); };
  BOOST_TEST(!free("550 5.7.30 REQUIRETLS support required").ofMailbox());
  BOOST_TEST(free("550 5.1.1 no such user").ofMailbox());
  BOOST_TEST(free("550 no such user").ofMailbox());
}

BOOST_AUTO_TEST_CASE(vacation_replies_never_count) {
  for (
      const auto& text :
      {plain("Carol <carol@x.example>", "Re: [...]", "I am away. 550 5.1.1 user unknown",
             "Auto-Submitted: auto-replied (vacation)\r\n"),
       plain("carol@x.example", "Out of Office: x", "5.1.1"),
       plain("postmaster@x.example", "Automatic reply: x", "5.1.1 delivery failed"),
       plain("carol@x.example", "x", "5.1.1", "X-Autoreply: yes\r\n"),
       "From: c@x.example\r\nContent-Type: multipart/report; report-type=disposition-notification; boundary=b\r\n\r\n--b\r\n\r\n5.1.1\r\n--b--\r\n"s})
    BOOST_TEST((read(text).kind == Bounce::Kind::AutoReply), text);
}

BOOST_AUTO_TEST_CASE(reads_the_obvious_free_forms) {
  auto bounce = read(plain(
      Daemon, "Mail delivery failed: returning message to sender",
      "A message that you sent could not be delivered.\r\n  m@x.example\r\n    host mx said: 550 5.7.1 blocked\r\n",
      "Auto-Submitted: auto-replied\r\nX-Failed-Recipients: m@x.example\r\n"));
  BOOST_TEST((bounce.kind == Bounce::Kind::Failure));
  BOOST_TEST(bounce.status == "5.7.1");
  BOOST_TEST(bounce.text == "host mx said: 550 5.7.1 blocked");
  bounce = read(
      plain(Daemon, "failure notice", "Hi. This is the qmail-send program.\r\n<m@x.example>:\r\n550 no such user\r\n"));
  BOOST_TEST(bounce.statusClass == 5);
  bounce = read(plain(Daemon, "Undeliverable: x", "It did not work. Our server at 5.9.12.14 runs version 4.1.2.3."));
  BOOST_TEST((bounce.kind == Bounce::Kind::Failure));
  BOOST_TEST(bounce.statusClass == 4);
  BOOST_TEST((read(plain(Daemon, "Warning: message delayed 4 hours", "could not be delivered 4.4.1")).kind ==
              Bounce::Kind::Delay));
  BOOST_TEST((read(plain(Daemon, "Returned mail", "I will keep trying. You do not need to resend. 5.1.1")).kind ==
              Bounce::Kind::Delay));
}

BOOST_AUTO_TEST_CASE(a_persons_mail_is_no_bounce) {
  BOOST_TEST((read(plain("Carol <carol@x.example>", "Undeliverable", "delivery failed 550 5.1.1")).kind ==
              Bounce::Kind::Unknown));
  BOOST_TEST((read(plain(Daemon, "Hello", "Nice weather.")).kind == Bounce::Kind::Unknown));
  BOOST_TEST((read("").kind == Bounce::Kind::Unknown));
}

BOOST_AUTO_TEST_CASE(text_is_short_and_printable) {
  const auto bounce = read(dsn(block("failed", "5.1.1", "smtp; " + std::string(900, 'x'))));
  BOOST_TEST(bounce.text.size() == 300u);
  BOOST_TEST(read(dsn(block("failed", "5.1.1", "a\x1b[31m\xc3\xbc"))).text == "a?[31m??");
}

BOOST_AUTO_TEST_CASE(hostile_reports_stay_cheap) {
  const auto start = std::chrono::steady_clock::now();
  std::string blocks;
  while (blocks.size() < (2u << 20)) blocks += block("delayed", "4.0.0") + "\r\n";
  BOOST_TEST((read(dsn(blocks)).kind == Bounce::Kind::Delay));
  BOOST_TEST((read(plain(Daemon, "failure notice", std::string(2u << 20, '5'))).kind == Bounce::Kind::Failure));
  BOOST_TEST((std::chrono::steady_clock::now() - start < std::chrono::seconds(3)));
}

BOOST_AUTO_TEST_SUITE_END()
