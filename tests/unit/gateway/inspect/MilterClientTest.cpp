#include "core/base/Error.h"
#include "gateway/inspect/MilterClient.h"
#include "gateway/inspect/MilterHeader.h"
#include "gateway/inspect/MilterWire.h"
#include "tests/support/FakeCompanion.h"
#include "tests/unit/gateway/smtp/Fakes.h"

#include <map>

using namespace postern;
using namespace postern::gateway;
using Kind = MilterOutcome::Kind;
namespace step = milter::step;
using test::FakeCompanion;

namespace {

std::string options(std::uint32_t version, std::uint32_t actions, std::uint32_t steps) {
  return milter::packet('O', Writer().u32(version).u32(actions).u32(steps).bytes());
}

std::string header(char command, std::optional<std::uint32_t> index, const char* name, const char* value) {
  Writer writer;
  if (index) writer.u32(*index);
  return milter::packet(command, writer.bytes() + milter::zero(name) + milter::zero(value));
}

// A milter that answers each command as the test says ("c" without), and keeps what it was sent.
struct Script {
  std::string negotiation = options(6, milter::action::Offered, 0);
  std::map<char, std::string> answers;
  std::string seen;  // commands, but for macros
  std::map<char, std::string> data;
  std::map<std::string, std::string> macros;

  void serve(FakeCompanion::Peer& peer) {
    std::string length, packet;
    while (peer.read(length, 4) && peer.read(packet, Reader(length).u32())) {
      const char command = packet[0];
      seen += command == 'D' ? "" : std::string(1, command);
      data[command] += packet.substr(1);
      if (command == 'O') peer.send(negotiation);
      if (command == 'D' || command == 'O' || command == 'Q') continue;
      const auto answer = answers.find(command);
      peer.send(answer == answers.end() ? milter::packet('c', {}) : answer->second);
    }
  }
};

struct Fixture {
  Script script;
  FakeCompanion milter{[this](FakeCompanion::Peer& peer) { script.serve(peer); }};
  fakes::FakeDirectory directory;
  ClientFacts client{"192.0.2.7", "client.example"};
  std::string helo = "client.example";
  app::TlsFacts tls{"TLSv1.3", "TLS_AES_256_GCM_SHA384", 256, "none", {}};
  Transaction transaction;
  std::string content = "From: ann@client.example\r\nSubject: hi\r\n folded\r\n\r\nbody\r\n";
  std::chrono::milliseconds limit{5000};

  Fixture() {
    transaction.from = *mail::Address::parse("ann@client.example");
    for (const char* text : {"board@lists.example", "social@lists.example"}) {
      auto address = *mail::Address::parse(text);
      auto route = *directory.find(address);
      transaction.recipients.push_back({std::move(address), std::move(route)});
    }
  }
  MilterOutcome judge() {
    const MilterClient asked({"test", milter.address(), limit, "gate.example"});
    return asked.judge({client, helo, tls, transaction}, mail::Message::parse(content).value());
  }
  std::string trouble() {
    try {
      judge();
    } catch (const Error& error) {
      return error.kind() == ErrorKind::Unavailable ? error.message() : "another kind: " + error.message();
    }
    return "";
  }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(gateway_inspect_MilterClient, Fixture)

BOOST_AUTO_TEST_CASE(shows_the_whole_message_in_order_and_passes_it_when_the_milter_does) {
  const auto outcome = judge();
  BOOST_TEST((outcome.kind == Kind::Pass));
  BOOST_TEST(!outcome.content.has_value());
  BOOST_TEST(script.seen.starts_with("OCHMRRTLLNBE"));
  BOOST_TEST(script.data['C'].substr(0, 15) == std::string("client.example\0", 15));
  BOOST_TEST(script.data['C'].substr(18) == std::string("192.0.2.7\0", 10));
  BOOST_TEST(script.data['M'] == std::string("<ann@client.example>\0", 21));
  BOOST_TEST(script.data['L'].find(std::string("Subject\0hi\n folded\0", 19)) != std::string::npos);
  BOOST_TEST(script.data['B'] == "body\r\n");
  BOOST_TEST(script.data['D'].find(std::string("{rcpt_addr}\0board@lists.example\0", 32)) != std::string::npos);
  BOOST_TEST(script.data['D'].find(std::string("{cipher_bits}\0"
                                               "256\0",
                                               18)) != std::string::npos);
}

BOOST_AUTO_TEST_CASE(leaves_out_what_the_milter_does_not_want_and_waits_for_no_answer_it_does_not_give) {
  script.negotiation = options(6, 0,
                               step::NoConnect | step::NoHelo | step::NoData | step::NoBody | step::NoHeaders |
                                   step::NoEndOfHeaders | step::NoRcpt);
  judge();
  BOOST_TEST(script.seen.starts_with("OME"));
}

BOOST_AUTO_TEST_CASE(each_refusal_is_told_as_the_milter_says_it) {
  script.answers['M'] = milter::packet('r', {});
  BOOST_TEST((judge().kind == Kind::Reject));
  script.answers['M'] = milter::packet('t', {});
  BOOST_TEST((judge().kind == Kind::Defer));
  script.answers['M'] = milter::packet('y', milter::zero("554 5.7.1 100%% no\r"));
  auto outcome = judge();
  BOOST_TEST((outcome.kind == Kind::Reject));
  BOOST_TEST(outcome.code == 554);
  BOOST_TEST(outcome.enhanced == "5.7.1");
  BOOST_TEST(outcome.text == "100% no");
  script.answers['M'] = milter::packet('y', milter::zero("451-4.7.1 wait\r\n451 4.7.1 a little\r\n"));
  outcome = judge();
  BOOST_TEST((outcome.kind == Kind::Defer));
  BOOST_TEST(outcome.text == "wait a little");
}

BOOST_AUTO_TEST_CASE(a_refused_recipient_is_named) {
  script.answers['R'] = milter::packet('r', {});
  const auto outcome = judge();
  BOOST_TEST((outcome.kind == Kind::Reject));
  BOOST_TEST(outcome.recipient == "board@lists.example");
}

BOOST_AUTO_TEST_CASE(accepting_early_ends_the_questions_and_discarding_drops) {
  script.answers['H'] = milter::packet('a', {});
  BOOST_TEST((judge().kind == Kind::Pass));
  BOOST_TEST(script.seen.starts_with("OCH"));
  BOOST_TEST(script.seen.size() <= 4u);
  script.answers['H'] = milter::packet('d', {});
  BOOST_TEST((judge().kind == Kind::Discard));
}

BOOST_AUTO_TEST_CASE(edits_of_the_header_and_quarantine_come_at_the_end) {
  script.answers['E'] = milter::packet('p', {}) + header('h', {}, "X-Last", "1") + header('i', 0, "X-First", "a\n b") +
                        header('m', 1, "subject", "changed") + header('m', 1, "From", "") +
                        milter::packet('q', milter::zero("looks odd")) + milter::packet('c', {});
  const auto outcome = judge();
  BOOST_TEST(*outcome.quarantine == "looks odd");
  BOOST_TEST(*outcome.content == "X-First: a\r\n b\r\nsubject: changed\r\nX-Last: 1\r\n\r\nbody\r\n");
}

BOOST_AUTO_TEST_CASE(a_milter_that_changes_bodies_or_envelopes_gives_no_verdict) {
  script.negotiation = options(6, 0x1ff, 0);  // wanting it alone does no harm
  BOOST_TEST((judge().kind == Kind::Pass));
  for (const auto& change : {milter::packet('b', "other body"), milter::packet('+', milter::zero("<eve@evil.example>")),
                             milter::packet('-', milter::zero("<board@lists.example>")),
                             milter::packet('e', milter::zero("<eve@evil.example>"))}) {
    script.answers['E'] = change + milter::packet('c', {});
    BOOST_TEST(trouble().find("not agreed on") != std::string::npos);
  }
}

BOOST_AUTO_TEST_CASE(whatever_breaks_is_no_verdict) {
  script.answers['E'] = header('h', {}, "X-Bad", "a\rb") + milter::packet('c', {});
  BOOST_TEST(trouble().find("cannot be") != std::string::npos);
  script.answers['E'] = milter::packet('c', "more");
  BOOST_TEST(!trouble().empty());
  script.answers['E'] = Writer().u32(0xffffffff).bytes();
  BOOST_TEST(trouble().find("impossible size") != std::string::npos);
  script.answers['M'] = milter::packet('s', {});
  BOOST_TEST(trouble().find("out of turn") != std::string::npos);
  script.answers['M'] = milter::packet('q', milter::zero("too early"));
  BOOST_TEST(trouble().find("out of turn") != std::string::npos);
  script.negotiation = options(1, 0, 0);
  BOOST_TEST(!trouble().empty());
}

BOOST_AUTO_TEST_CASE(a_milter_that_hangs_or_is_not_there_gives_no_verdict_within_its_time) {
  limit = std::chrono::milliseconds(200);
  script.answers['M'] = "";
  const auto begin = std::chrono::steady_clock::now();
  BOOST_TEST(trouble().find("in time") != std::string::npos);
  BOOST_TEST((std::chrono::steady_clock::now() - begin < std::chrono::seconds(3)));
  const MilterClient nobody({"gone", *CompanionAddress::parse("unix:/nowhere/milter.sock"), limit, "gate.example"});
  BOOST_CHECK_THROW(nobody.judge({client, helo, tls, transaction}, mail::Message::parse(content).value()), Error);
}

BOOST_AUTO_TEST_CASE(a_part_of_the_body_may_be_enough) {
  content = "From: ann@client.example\r\n\r\n" + std::string(200'000, 'x');
  script.answers['B'] = milter::packet('s', {});
  judge();
  BOOST_TEST(script.data['B'].size() == 65535u);
}

BOOST_AUTO_TEST_SUITE_END()
