// Every verb in every state: the code that must come (RFC 5321 §4.1.4 and §4.3.2, RFC 3030, 3207, 4954).
#include "gateway/smtp/PendingWork.h"
#include "gateway/smtp/SmtpSession.h"
#include "tests/unit/gateway/smtp/Fakes.h"

#include <array>

using namespace postern;
using namespace postern::gateway;

namespace {

const app::TlsFacts SomeTls{"TLSv1.3", "TLS_AES_256_GCM_SHA384", 256, "none", {}};

struct Talk {
  fakes::FakeSite site;
  SessionSettings settings;
  SmtpSession session;

  explicit Talk(bool tls = false, bool submission = false)
      : settings(of(submission)), session(settings, site.ports, {"192.0.2.7", ""}, tls ? SomeTls : app::TlsFacts{}) {
    session.greet();
    session.takeOutput();
  }
  static SessionSettings of(bool submission) {
    SessionSettings made;
    made.hostName = "mx.lists.example";
    made.submission = submission;
    return made;
  }
  // The first code of what comes for these bytes.
  std::string say(const std::string& bytes) {
    const auto all = sayAll(bytes);
    return all.substr(0, all.find(' '));
  }
  // The codes of all replies, one after the other.
  std::string sayAll(const std::string& bytes) {
    session.feed(bytes);
    std::string output;
    do {
      answerPending(session, site.ports);
      output += session.takeOutput();
      session.resume();
    } while (session.hasOutput() || session.pending());
    std::string codes;
    for (std::size_t at = 0; at < output.size(); at = output.find("\r\n", at) + 2)
      if (output.at(at + 3) == ' ') codes += (codes.empty() ? "" : " ") + output.substr(at, 3);
    return codes;
  }
};

struct Verb {
  const char* line;
  // after: greeting, EHLO, MAIL, RCPT, BDAT, a refused MAIL, RSET behind RCPT
  std::array<const char*, 7> codes;
};

constexpr auto From = "MAIL FROM:<ann@client.example>\r\n";
constexpr auto To = "RCPT TO:<board@lists.example>\r\n";

const std::vector<std::string> Before[] = {{},
                                           {"EHLO c.example\r\n"},
                                           {"EHLO c.example\r\n", From},
                                           {"EHLO c.example\r\n", From, To},
                                           {"EHLO c.example\r\n", From, To, "BDAT 4\r\nhi\r\n"},
                                           {"EHLO c.example\r\n", "MAIL FROM:<a@b..example>\r\n"},
                                           {"EHLO c.example\r\n", From, To, "RSET\r\n"}};

constexpr Verb Everywhere[] = {
    {"EHLO c.example\r\n", {"250", "250", "250", "250", "250", "250", "250"}},
    {"HELO c.example\r\n", {"250", "250", "250", "250", "250", "250", "250"}},
    {"EHLO\r\n", {"501", "501", "501", "501", "501", "501", "501"}},
    {From, {"503", "250", "503", "503", "503", "250", "250"}},
    {To, {"503", "503", "250", "250", "503", "503", "503"}},
    {"RCPT TO:<eve@foreign.example>\r\n", {"503", "503", "550", "550", "503", "503", "503"}},
    {"DATA\r\n", {"503", "503", "554", "354", "503", "503", "503"}},
    {"BDAT 4 LAST\r\nhi\r\n", {"503", "503", "554", "250", "250", "503", "503"}},
    {"RSET\r\n", {"250", "250", "250", "250", "250", "250", "250"}},
    {"NOOP\r\n", {"250", "250", "250", "250", "250", "250", "250"}},
    {"VRFY a\r\n", {"252", "252", "252", "252", "252", "252", "252"}},
    {"EXPN a\r\n", {"502", "502", "502", "502", "502", "502", "502"}},
    {"HELP\r\n", {"214", "214", "214", "214", "214", "214", "214"}},
    {"QUIT\r\n", {"221", "221", "221", "221", "221", "221", "221"}},
    {"GET / HTTP/1.1\r\n", {"421", "421", "421", "421", "421", "421", "421"}},
    {"XYZZY\r\n", {"500", "500", "500", "500", "500", "500", "500"}},
    {"NOOP\n", {"501", "501", "501", "501", "501", "501", "501"}},
};
constexpr Verb InClear[] = {
    {"STARTTLS\r\n", {"503", "220", "503", "503", "503", "220", "220"}},
    {"AUTH PLAIN AGEAYg==\r\n", {"502", "502", "502", "502", "502", "502", "502"}},
};
constexpr Verb UnderTls[] = {
    {"STARTTLS\r\n", {"503", "503", "503", "503", "503", "503", "503"}},
    {"AUTH PLAIN AGEAYg==\r\n", {"502", "502", "502", "502", "502", "502", "502"}},
};
constexpr Verb SignedIn[] = {
    {"STARTTLS\r\n", {"503", "503", "503", "503", "503", "503", "503"}},
    {"AUTH PLAIN AGFubgByaWdodA==\r\n", {"503", "503", "503", "503", "503", "503", "503"}},
    {"MAIL FROM:<bob@client.example>\r\n", {"503", "550", "503", "503", "503", "550", "550"}},
};

template <class Rows>
void demand(const Rows& rows, bool tls, bool signedIn) {
  for (const auto& verb : rows) {
    for (std::size_t i = 0; i < std::size(Before); ++i) {
      Talk talk(tls, signedIn);
      if (signedIn) {
        talk.say("EHLO c.example\r\n");
        BOOST_TEST(talk.say("AUTH PLAIN AGFubgByaWdodA==\r\n") == "235");
      }
      for (const auto& line : Before[i]) talk.say(line);
      const bool greetedAnyhow = signedIn && i == 0;  // AUTH came behind an EHLO
      const auto wanted = verb.codes.at(greetedAnyhow ? 1 : i);
      BOOST_TEST(talk.say(verb.line) == wanted,
                 verb.line << " after " << i << (tls ? ", TLS" : "") << " wanted " << wanted);
    }
  }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(gateway_smtp_Conformance)

BOOST_AUTO_TEST_CASE(each_verb_in_each_state_in_clear) {
  demand(Everywhere, false, false);
  demand(InClear, false, false);
}

BOOST_AUTO_TEST_CASE(each_verb_in_each_state_under_tls) {
  demand(Everywhere, true, false);
  demand(UnderTls, true, false);
}

BOOST_AUTO_TEST_CASE(each_verb_in_each_state_of_a_person_who_has_signed_in) {
  demand(Everywhere, true, true);
  demand(SignedIn, true, true);
}

BOOST_AUTO_TEST_CASE(starttls_forgets_the_hello_and_the_transaction) {
  Talk talk;
  BOOST_TEST(talk.sayAll("EHLO c.example\r\nMAIL FROM:<a@client.example>\r\nRSET\r\nSTARTTLS\r\nNOOP\r\n") ==
             "250 250 250 220");
  BOOST_TEST(talk.session.wantsTls());
  talk.session.tlsStarted(SomeTls);
  BOOST_TEST(talk.sayAll(std::string(From) + To) == "503 503");
}

BOOST_AUTO_TEST_CASE(pipelined_groups_are_answered_in_order_and_one_refusal_spoils_no_other) {
  Talk talk;
  BOOST_TEST(talk.sayAll(std::string("EHLO c.example\r\n") + From + To +
                         "RCPT TO:<eve@foreign.example>\r\nRCPT TO:<social@lists.example>\r\nDATA\r\n") ==
             "250 250 250 550 250 354");
  BOOST_TEST(talk.sayAll(std::string("Subject: x\r\n\r\nDATA\r\n.\r\n") + From + From + To + "BDAT 4\r\nhi\r\n" +
                         "BDAT 0 LAST\r\nNOOP\r\nQUIT\r\nNOOP\r\n") == "250 250 503 250 250 250 250 221");
  BOOST_TEST(talk.site.acceptor.count() == 2u);
}

BOOST_AUTO_TEST_CASE(pipelined_recipients_that_are_all_refused_take_no_content_with_them) {
  Talk talk;
  BOOST_TEST(talk.sayAll(std::string("EHLO c.example\r\n") + From +
                         "RCPT TO:<eve@foreign.example>\r\nDATA\r\nRSET\r\n") == "250 250 550 554 503");
  BOOST_TEST(talk.session.closed());
}

BOOST_AUTO_TEST_CASE(what_stands_behind_auth_waits_for_its_answer) {
  Talk talk(true, true);
  BOOST_TEST(talk.sayAll("EHLO c.example\r\nAUTH PLAIN AGFubgByaWdodA==\r\nMAIL FROM:<ann@client.example>\r\n") ==
             "250 235 250");
}

BOOST_AUTO_TEST_SUITE_END()
