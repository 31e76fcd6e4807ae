#include "core/base/Error.h"
#include "gateway/inspect/Companions.h"
#include "gateway/inspect/Dnsbl.h"
#include "gateway/inspect/MilterWire.h"
#include "gateway/inspect/TransactionInspector.h"
#include "tests/support/FakeCompanion.h"
#include "tests/support/FakeResolver.h"
#include "tests/unit/gateway/smtp/Fakes.h"

using namespace postern;
using namespace postern::gateway;
using policy::VerdictKind;
using test::FakeCompanion;

namespace {

class GivenPolicies : public Policies {
public:
  std::vector<policy::Verdict> verdicts;
  std::optional<policy::SpamFacts> spam;
  std::optional<policy::ReputationFacts> reputation;
  int asked = 0;

  policy::PolicyOutcome rcpt(const policy::TransactionFacts& facts, const policy::RecipientFacts&) override {
    reputation = facts.client.reputation;
    return policy::Verdict{};
  }
  policy::MessageOutcome message(const policy::TransactionFacts& facts, const policy::MessageFacts& given) override {
    ++asked;
    spam = given.spam;
    policy::MessageVerdicts answer{verdicts, {}};
    answer.recipients.resize(facts.recipients.size());
    return answer;
  }
};

// ClamAV's side of INSTREAM.
struct FakeClamd {
  std::string reply = std::string("stream: OK\0", 11);
  std::string content;
  FakeCompanion companion{[this](FakeCompanion::Peer& peer) {
    std::string bytes;
    content.clear();
    peer.read(bytes, 10);
    while (peer.read(bytes, 4) && Reader(bytes).u32() > 0) {
      peer.read(bytes, Reader(bytes).u32());
      content += bytes;
    }
    peer.send(reply);
  }};
};

struct FakeRspamd {
  std::string answer = R"({"action":"no action","score":0.5,"required_score":15,"symbols":{}})";
  std::string head;
  FakeCompanion companion{[this](FakeCompanion::Peer& peer) {
    head = peer.readUntil("\r\n\r\n");
    std::string body;
    peer.read(body, std::stoul(head.substr(head.find("Content-Length: ") + 16)));
    peer.send("HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n" + answer);
  }};
};

struct Fixture {
  fakes::FakeDirectory directory;
  GivenPolicies policies;
  FakeClamd clamd;
  FakeRspamd rspamd;
  Companions::Settings settings;
  ClientFacts client{"192.0.2.7", ""};
  std::string helo = "client.example";
  app::TlsFacts tls;
  Transaction transaction;
  std::string content = "From: ann@client.example\r\nSubject: hi\r\n\r\ntext\r\n";
  bool writtenHere = false;

  void to(std::initializer_list<const char*> recipients) {
    transaction.recipients.clear();
    transaction.from = *mail::Address::parse("ann@client.example");
    for (const char* text : recipients) {
      auto address = *mail::Address::parse(text);
      auto route = *directory.find(address);
      transaction.recipients.push_back({std::move(address), std::move(route)});
    }
  }
  Fixture() { to({"board@lists.example"}); }
  void withClamd() { settings.clamav.emplace(clamd.companion.address(), std::chrono::seconds(5)); }
  void withRspamd() { settings.rspamd.emplace(rspamd.companion.address(), std::chrono::seconds(5)); }
  MessageDecision judge() {
    const Companions companions(settings);
    TransactionInspector inspector(policies, directory, nullptr, &companions);
    return inspector.message({client, helo, tls, transaction, writtenHere}, content);
  }
  static std::string noteOf(const MessageDecision& decision, std::string_view name) {
    for (const auto& note : decision.notes)
      if (note.first == name) return note.second;
    return "";
  }
  void says(const char* action) {
    rspamd.answer = std::string(R"({"action":")") + action +
                    R"(","score":12.5,"required_score":15,"symbols":{"SMALL":{"score":0.1},"GTUBE":{"score":12}}})";
  }
};

const CompanionAddress Nowhere = *CompanionAddress::parse("unix:/nowhere/there.sock");

}  // namespace

BOOST_FIXTURE_TEST_SUITE(gateway_inspect_Companions, Fixture)

BOOST_AUTO_TEST_CASE(only_addresses_of_this_machine_can_be_written) {
  for (const char* good : {"unix:/run/clamav/clamd.ctl", "127.0.0.1:11333", "127.8.9.1:1", "[::1]:783"})
    BOOST_TEST(CompanionAddress::parse(good).value().text() == good);
  for (const char* bad : {"", "unix:", "unix:relative", "192.0.2.1:11333", "rspamd.example:11333", "localhost:11333",
                          "[2001:db8::1]:1", "0.0.0.0:1", "[::]:1", "127.0.0.1", "127.0.0.1:0", "127.0.0.1:99999",
                          "127.evil.example:25", "[::ffff:192.0.2.1]:25"})
    BOOST_TEST(!CompanionAddress::parse(bad).has_value(), bad);
}

BOOST_AUTO_TEST_CASE(a_clean_message_passes_and_is_scanned_whole) {
  withClamd();
  content += std::string(700'000, 'x') + "\r\n";
  BOOST_TEST(!judge().refusal.has_value());
  BOOST_TEST((clamd.content == content));
}

BOOST_AUTO_TEST_CASE(an_infected_message_is_refused_and_no_policy_lets_it_in) {
  withClamd();
  clamd.reply = std::string("stream: Eicar-Test\x01Signature FOUND\0", 35);
  policies.verdicts = {{VerdictKind::Accept, 0, {}, {}, "fine", "p", {}, {}}};
  const auto decision = judge();
  BOOST_REQUIRE(decision.refusal.has_value());
  BOOST_TEST(decision.refusal->reply.code == 550);
  BOOST_TEST(decision.refusal->reason == "infected");
  BOOST_TEST(decision.refusal->reply.render().find("Eicar-Test_Signature") != std::string::npos);
  BOOST_TEST(policies.asked == 0);
  writtenHere = true;
  BOOST_TEST(judge().refusal->reason == "infected");
}

BOOST_AUTO_TEST_CASE(without_a_verdict_of_the_scanner_everything_waits) {
  withClamd();
  for (const char* reply : {"", "stream: ", "INSTREAM size limit exceeded. ERROR",
                            "stream: Can't allocate memory ERROR", "stream: OK and more", "stream: FOUND"}) {
    clamd.reply = reply;
    const auto decision = judge();
    BOOST_REQUIRE_MESSAGE(decision.refusal.has_value(), reply);
    BOOST_TEST(decision.refusal->reply.code == 451);
    BOOST_TEST(decision.refusal->reason == "virus-scan-unavailable");
  }
  settings.clamav.emplace(Nowhere, std::chrono::seconds(1));
  BOOST_TEST(judge().refusal->reply.code == 451);
}

BOOST_AUTO_TEST_CASE(accept_on_failure_holds_for_open_lists_alone) {
  settings.clamav.emplace(Nowhere, std::chrono::seconds(1));
  settings.rspamd.emplace(Nowhere, std::chrono::seconds(1));
  settings.clamavMayFail = settings.rspamdMayFail = true;
  to({"social@lists.example"});
  const auto decision = judge();
  BOOST_TEST(!decision.refusal.has_value());
  BOOST_TEST(!noteOf(decision, "virus-scan").empty());
  to({"social@lists.example", "board@lists.example"});
  BOOST_TEST(judge().refusal->reply.code == 451);
  to({"social@lists.example"});
  transaction.recipients[0].route.role = app::RoutedAddress::Role::Outbound;
  BOOST_TEST(judge().refusal->reply.code == 451);
}

BOOST_AUTO_TEST_CASE(the_spam_filter_is_told_of_the_session_and_policies_of_what_it_says) {
  withRspamd();
  BOOST_TEST(!judge().refusal.has_value());
  BOOST_TEST(rspamd.head.starts_with("POST /checkv2 HTTP/1.0\r\n"));
  for (const char* line :
       {"\r\nIP: 192.0.2.7\r\n", "\r\nFrom: ann@client.example\r\n", "\r\nRcpt: board@lists.example\r\n"})
    BOOST_TEST(rspamd.head.find(line) != std::string::npos);
  says("greylist");
  judge();
  BOOST_REQUIRE(policies.spam.has_value());
  BOOST_TEST(policies.spam->score == 12.5);
  BOOST_TEST(policies.spam->symbols.at(0).name == "GTUBE");
}

BOOST_AUTO_TEST_CASE(each_action_has_its_default_and_a_policy_that_accepts_goes_first) {
  withRspamd();
  says("reject");
  BOOST_TEST(judge().refusal->reason == "spam");
  says("soft reject");
  BOOST_TEST(judge().refusal->reply.code == 451);
  for (const char* action : {"add header", "rewrite subject", "quarantine", "made up"}) {
    says(action);
    const auto decision = judge();
    BOOST_TEST(!decision.refusal.has_value());
    BOOST_TEST(noteOf(decision, app::QuarantineNote) == std::string("spam: ") + action);
    BOOST_TEST(noteOf(decision, app::SpamNote).starts_with(std::string(action) + " 12.5/15 GTUBE=12"));
  }
  settings.onReject = SpamTreatment::Hold;
  says("reject");
  BOOST_TEST(noteOf(judge(), app::QuarantineNote) == "spam: reject");
  policies.verdicts = {{VerdictKind::Accept, 0, {}, {}, "fine", "p", {}, {}}};
  const auto accepted = judge();
  BOOST_TEST(!accepted.refusal.has_value());
  BOOST_TEST(noteOf(accepted, app::QuarantineNote).empty());
}

BOOST_AUTO_TEST_CASE(what_is_no_whole_answer_of_the_spam_filter_defers) {
  withRspamd();
  for (const char* answer :
       {"", "[]", "{}", R"({"action":3})", R"({"action":""})", R"({"score":1})", "{\"action\":\"no"}) {
    rspamd.answer = answer;
    BOOST_TEST(judge().refusal->reason == "spam-filter-unavailable");
  }
}

BOOST_AUTO_TEST_CASE(bounces_are_shown_to_no_companion) {
  settings.clamav.emplace(Nowhere, std::chrono::seconds(1));
  to({"board-bounces@lists.example"});
  BOOST_TEST(!judge().refusal.has_value());
}

BOOST_AUTO_TEST_CASE(a_policy_holds_the_whole_message) {
  to({"board@lists.example", "social@lists.example"});
  policies.verdicts = {{VerdictKind::Pass, 0, {}, {}, {}, {}, {}, {}},
                       {VerdictKind::Hold, 0, {}, {}, "odd", "strange", {}, "quarantine"}};
  const auto decision = judge();
  BOOST_TEST(!decision.refusal.has_value());
  BOOST_TEST(noteOf(decision, app::QuarantineNote) == "policy strange: odd");
  writtenHere = true;
  BOOST_TEST(judge().refusal->reason == "held");
}

BOOST_AUTO_TEST_CASE(what_a_milter_does_to_the_header_is_seen_by_what_comes_after_it) {
  FakeCompanion milter{[](FakeCompanion::Peer& peer) {
    std::string length, packet;
    while (peer.read(length, 4) && peer.read(packet, Reader(length).u32())) {
      if (packet[0] == 'O')
        peer.send(milter::packet('O', Writer().u32(6).u32(0x31).u32(0).bytes()));
      else if (packet[0] == 'E')
        peer.send(milter::packet('h', milter::zero("X-Seen") + milter::zero("yes")) +
                  milter::packet('q', milter::zero("hm")) + milter::packet('c', {}));
      else if (packet[0] != 'D' && packet[0] != 'Q')
        peer.send(milter::packet('c', {}));
    }
  }};
  for (int i = 0; i < 2; ++i)
    settings.milters.push_back({MilterClient({"m", milter.address(), std::chrono::seconds(5), "gate.example"})});
  const auto decision = judge();
  BOOST_REQUIRE(decision.content.has_value());
  BOOST_TEST(*decision.content ==
             "From: ann@client.example\r\nSubject: hi\r\nX-Seen: yes\r\nX-Seen: yes\r\n\r\ntext\r\n");
  BOOST_TEST(noteOf(decision, app::QuarantineNote) == "milter m: hm");
}

// ---- DNS lists

BOOST_AUTO_TEST_CASE(names_of_addresses_are_reversed) {
  BOOST_TEST(dnsblName("192.0.2.7") == "7.2.0.192");
  BOOST_TEST(dnsblName("::ffff:192.0.2.7") == "7.2.0.192");
  BOOST_TEST(dnsblName("2001:db8::1") == "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2");
  BOOST_TEST(dnsblName("no address").empty());
}

BOOST_AUTO_TEST_CASE(weights_of_zones_whose_reply_counts_are_added_up) {
  test::FakeResolver resolver;
  resolver.host("7.2.0.192.one.example", {"127.0.0.4"});
  resolver.host("7.2.0.192.two.example", {"127.255.255.254"});  // "you ask too much"
  resolver.host("7.2.0.192.three.example", {"127.0.0.10"});
  Dnsbl dnsbl({{{"one.example", 5, {*DnsblReply::parse("127.0.0.2-7")}},
                {"two.example", 50, {*DnsblReply::parse("127.0.0.2-255")}},
                {"three.example", 6, {*DnsblReply::parse("127.0.0.10")}}},
               std::chrono::seconds(5)},
              resolver);
  const auto facts = dnsbl.look("192.0.2.7");
  BOOST_TEST(facts->score == 11);
  BOOST_TEST(facts->zones.size() == 2u);
  BOOST_TEST(dnsbl.look("192.0.2.8")->score == 0);

  TransactionInspector inspector(policies, directory, nullptr, nullptr, &dnsbl, 11);
  const auto refusal = inspector.recipient({client, helo, tls, transaction}, transaction.recipients[0]);
  BOOST_REQUIRE(refusal.has_value());
  BOOST_TEST(refusal->reason == "dnsbl");
  BOOST_TEST(refusal->reply.render().find("one.example, three.example") != std::string::npos);
  TransactionInspector lenient(policies, directory, nullptr, nullptr, &dnsbl, 12);
  BOOST_TEST(!lenient.recipient({client, helo, tls, transaction}, transaction.recipients[0]).has_value());
  BOOST_TEST(policies.reputation->score == 11);
}

BOOST_AUTO_TEST_CASE(a_zone_that_fails_or_hangs_counts_as_one_that_does_not_list) {
  test::FakeResolver resolver;
  resolver.addressAnswers["7.2.0.192.dead.example"].outcome = net::DnsOutcome::Failed;
  resolver.host("7.2.0.192.late.example", {"127.0.0.2"});
  int asked = 0;
  resolver.before = [&](const std::string&) {
    ++asked;
    std::this_thread::sleep_for(std::chrono::milliseconds(60));
  };
  Dnsbl dnsbl(
      {{{"dead.example", 9, {*DnsblReply::parse("127.0.0.2")}}, {"late.example", 9, {*DnsblReply::parse("127.0.0.2")}}},
       std::chrono::milliseconds(50)},
      resolver);
  BOOST_TEST(dnsbl.look("192.0.2.7")->score == 0);
  dnsbl.look("192.0.2.7");
  BOOST_TEST(asked == 1);
}

BOOST_AUTO_TEST_SUITE_END()
