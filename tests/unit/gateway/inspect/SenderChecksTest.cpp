#include "gateway/inspect/TransactionInspector.h"
#include "tests/unit/gateway/smtp/Fakes.h"

using namespace postern;
using namespace postern::gateway;

namespace {

// Knows SPF records by name; all else does not exist, or nothing answers.
class FakeResolver : public net::Resolver {
public:
  std::map<std::string, std::string> records;
  bool dead = false;

  net::DnsAnswer<net::MxRecord> mx(std::string_view) override { return nothing<net::MxRecord>(); }
  net::DnsAnswer<std::string> addresses(std::string_view) override { return nothing<std::string>(); }
  net::DnsAnswer<net::TlsaRecord> tlsa(std::string_view) override { return nothing<net::TlsaRecord>(); }
  net::DnsAnswer<std::string> txt(std::string_view name) override {
    auto answer = nothing<std::string>();
    if (const auto found = records.find(std::string(name)); !dead && found != records.end()) {
      answer.outcome = net::DnsOutcome::Found;
      answer.records = {found->second};
    }
    return answer;
  }

private:
  template <class Record>
  net::DnsAnswer<Record> nothing() const {
    net::DnsAnswer<Record> answer;
    answer.outcome = dead ? net::DnsOutcome::Failed : net::DnsOutcome::NoName;
    return answer;
  }
};

class RelayDirectory : public fakes::FakeDirectory {
public:
  bool isRelay(const ClientFacts& client) const override { return client.address == "198.51.100.9"; }
};

// Lets all pass, with a note that is not a policy's to write.
class Passing : public Policies {
public:
  policy::MessageFacts seen;
  policy::PolicyOutcome rcpt(const policy::TransactionFacts&, const policy::RecipientFacts&) override {
    return policy::Verdict{};
  }
  policy::MessageOutcome message(const policy::TransactionFacts& facts, const policy::MessageFacts& message) override {
    seen = message;
    return policy::MessageVerdicts{std::vector<policy::Verdict>(facts.recipients.size()),
                                   {{"p", "sender-proven", "yes"}, {"p", "tagged", "yes"}}};
  }
};

struct Fixture {
  RelayDirectory directory;
  FakeResolver resolver;
  SystemClock clock{std::chrono::seconds(0)};
  Passing policies;
  SenderChecks checks{
      {SenderCheckScope::Outside, "mx.lists.example", std::chrono::milliseconds(5000)}, resolver, directory, clock};
  TransactionInspector inspector{policies, directory, &checks};
  const std::string helo = "client.example";
  const app::TlsFacts tls;
  const std::string forged = "Authentication-Results: mx.lists.example; dkim=pass header.d=lists.example\r\n";
  const std::string message = "From: ann@lists.example\r\nSubject: hi\r\n\r\ntext\r\n";

  MessageDecision judge(const std::string& client, const std::string& content) {
    Transaction transaction;
    transaction.from = *mail::Address::parse("ann@lists.example");
    auto address = *mail::Address::parse("board@lists.example");
    auto route = *directory.find(address);
    transaction.recipients.push_back({std::move(address), std::move(route)});
    const ClientFacts from{client, ""};
    return inspector.message({from, helo, tls, transaction}, content);
  }
  static std::string note(const MessageDecision& decision, std::string_view name) {
    std::string value;
    for (const auto& [key, text] : decision.notes)
      if (key == name) value += text + "|";
    return value;
  }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(gateway_inspect_SenderChecks, Fixture)

BOOST_AUTO_TEST_CASE(a_proven_author_is_told_to_policies_and_written_on_top) {
  resolver.records["lists.example"] = "v=spf1 ip4:192.0.2.7 -all";
  const auto decision = judge("192.0.2.7", message);
  BOOST_REQUIRE(policies.seen.authentication.has_value());
  BOOST_TEST(policies.seen.authentication->spf == "pass");
  BOOST_TEST(policies.seen.authentication->proven);
  BOOST_TEST(policies.seen.authentication->ownDomain);
  BOOST_REQUIRE(decision.content.has_value());
  BOOST_TEST(decision.content->starts_with("Authentication-Results: mx.lists.example;\r\n\tspf=pass"));
  BOOST_TEST(decision.content->ends_with(message));
  BOOST_TEST(note(decision, app::SenderProvenNote) == "yes|");
  BOOST_TEST(note(decision, "tagged") == "yes|");
}

BOOST_AUTO_TEST_CASE(a_forged_author_is_not_proven_and_no_policy_can_say_so) {
  resolver.records["lists.example"] = "v=spf1 -all";
  const auto decision = judge("192.0.2.7", forged + message);
  BOOST_TEST(policies.seen.authentication->spf == "fail");
  BOOST_TEST(!policies.seen.authentication->proven);
  BOOST_TEST(note(decision, app::SenderProvenNote) == "no|");
  BOOST_TEST(decision.content->find("dkim=pass") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(fields_in_our_name_are_taken_out_however_they_are_written) {
  resolver.records["lists.example"] = "v=spf1 -all";
  for (const auto* value : {"mx.lists.example; x=1", "mx.lists.example.; x=1", "MX.LISTS.EXAMPLE; x=1",
                            "(a (b)) mx.lists.example (c) 1; x=1", "\"mx.lists.example\"; x=1",
                            "\r\n\tmx.lists.example.\r\n\t;\r\n\tx=1", "; x=1", "(open; x=1"}) {
    for (const auto* name : {"Authentication-Results: ", "AUTHENTICATION-results:", "Authentication-Results : "}) {
      const auto decision = judge("192.0.2.7", name + std::string(value) + "\r\n" + message);
      if (decision.refusal) continue;  // malformed: refused
      BOOST_TEST(decision.content->find("x=1") == std::string::npos, value);
    }
  }
  const auto kept = judge("192.0.2.7", "Authentication-Results: mx.other.example; x=1\r\n" + message);
  BOOST_TEST(kept.content->find("x=1") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_dead_dns_leaves_it_open) {
  resolver.dead = true;
  const auto decision = judge("192.0.2.7", message);
  BOOST_TEST(policies.seen.authentication->undecided);
  BOOST_TEST(note(decision, app::SenderProvenNote) == "unknown|");
}

BOOST_AUTO_TEST_CASE(relays_and_this_machine_are_exempt) {
  for (const auto* client : {"198.51.100.9", "127.0.0.1", "::1"}) {
    const auto decision = judge(client, message);
    BOOST_TEST(!policies.seen.authentication.has_value());
    BOOST_TEST(!decision.content.has_value());
  }
  BOOST_TEST(judge("127.0.0.1", forged + message).content.value_or("") == message);
  BOOST_TEST(!judge("198.51.100.9", forged + message).content.has_value());
}

BOOST_AUTO_TEST_SUITE_END()
