#include "listd/expand/RoutingView.h"
#include "listd/probe/AskLimit.h"
#include "listd/probe/DomainProbes.h"
#include "listd/probe/DueDomains.h"
#include "listd/probe/ProbeView.h"
#include "listd/probe/TlsLessons.h"
#include "tests/unit/listd/orders/DeskFixture.h"

using namespace postern;
using namespace postern::test;
using namespace std::chrono_literals;
using app::TlsMeans;
using Outcome = app::DeliveryEvent::Outcome;

namespace {

struct Fixture : Desk {
  DomainProbes probes{context, gateway};

  Fixture() { tools.probes = &probes; }

  std::optional<app::DomainTls> known(const std::string& domain = "example.org") {
    return context.site.read([&](SiteTables& tables) { return tables.domainTls.find(domain); });
  }
  void note(TlsMeans means) {
    context.site.write([&](SiteTables& tables) { tables.domainTls.note({"example.org", means, TestNow, ""}); });
  }

  // An attempt to deliver to ann@example.org.
  void learn(Outcome outcome, const std::string& verification, const std::string& reply,
             const std::string& protection = "tls") {
    LedgerRow row;
    row.recipient = "ann@example.org";
    row.protection = protection;
    app::DeliveryEvent event;
    event.outcome = outcome;
    event.at = TestNow + 1h;
    event.remoteHost = "mx.example.org";
    event.replyText = reply;
    if (!verification.empty()) event.tls = {"TLSv1.3", "TLS_AES_256_GCM_SHA384", 256, verification, ""};
    context.site.write([&](SiteTables& tables) {
      TlsLessons lessons;
      lessons.add(row, event);
      lessons.writeTo(tables);
    });
  }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(listd_probe_DomainTls, Fixture)

BOOST_AUTO_TEST_CASE(marks_reach_the_gateway_and_forget_what_was_found_under_the_old_rule) {
  note(TlsMeans::Dane);
  const auto before = buildRoutingView(context).revision;
  give("domain.distrust", {{"domain", "Example.org"}, {"reason", "free mail"}});
  auto view = buildRoutingView(context);
  BOOST_TEST(view.revision > before);
  BOOST_TEST(view.distrustedDomains == std::vector<std::string>{"example.org"}, boost::test_tools::per_element());
  BOOST_TEST((known()->means == TlsMeans::None));

  give("domain.trust", {{"domain", "example.org"}, {"reason", "contract"}});
  view = buildRoutingView(context);
  BOOST_TEST(view.distrustedDomains.empty());
  BOOST_TEST(view.trustedDomains.size() == 1u);
  BOOST_TEST(!known().has_value());
  BOOST_TEST(give("domain.marks")["items"][0]["reason"] == "contract");

  give("domain.unmark", {{"domain", "example.org"}, {"reason", "over"}});
  BOOST_TEST(give("domain.marks")["items"].empty());
  BOOST_TEST(has(refusal("domain.unmark", {{"domain", "example.org"}, {"reason", "again"}}), "not-found"));
  BOOST_TEST(has(refusal("domain.trust", {{"domain", "example.org"}}), "reason"));
  const auto log = entries();
  BOOST_TEST(std::any_of(log.begin(), log.end(),
                         [](const std::string& line) { return has(line, "domain.distrust example.org ok"); }));
}

BOOST_AUTO_TEST_CASE(a_probe_is_refused_while_the_gateway_is_away) {
  BOOST_TEST(has(refusal("probe.start", {{"domain", "example.org"}}), "unavailable"));
  const auto shown = give("probe.show", {{"domain", "example.org"}});
  BOOST_TEST(shown["running"] == false);
  BOOST_TEST(shown["known"].is_null());
  BOOST_TEST(shown["probe"].is_null());
}

BOOST_AUTO_TEST_CASE(deliveries_teach_what_the_domain_can_do) {
  learn(Outcome::Delivered, "dane", "2.0.0 ok", "smime");
  BOOST_TEST((known()->means == TlsMeans::Dane));
  const auto last = give("probe.show", {{"domain", "example.org"}})["lastDelivery"];
  BOOST_TEST(last["outcome"] == "delivered");
  BOOST_TEST(last["host"] == "mx.example.org");
}

BOOST_AUTO_TEST_CASE(a_delivery_without_proof_takes_the_knowledge_back) {
  note(TlsMeans::Pkix);
  learn(Outcome::Delivered, "self-signed certificate", "2.0.0 ok", "smime");
  BOOST_TEST((known()->means == TlsMeans::None));
  BOOST_TEST(has(known()->problem, "self-signed"));
}

BOOST_AUTO_TEST_CASE(a_copy_that_waits_for_tls_takes_the_knowledge_back_and_other_failures_do_not) {
  note(TlsMeans::Sts);
  learn(Outcome::Deferred, "", "451 4.7.1 greylisted");
  BOOST_TEST((known()->means == TlsMeans::Sts));
  learn(Outcome::Deferred, "", "TLS is required and the server does not offer STARTTLS (demanded by MTA-STS)");
  BOOST_TEST((known()->means == TlsMeans::None));
  BOOST_TEST(has(known()->problem, "STARTTLS"));
}

BOOST_AUTO_TEST_CASE(one_weaker_connection_does_not_lower_what_a_probe_of_all_servers_found) {
  note(TlsMeans::Dane);
  learn(Outcome::Delivered, "verified", "2.0.0 ok");
  BOOST_TEST((known()->means == TlsMeans::Dane));
}

BOOST_AUTO_TEST_CASE(domains_of_people_elsewhere_are_due_while_domain_mail_goes_to_them) {
  using Names = std::vector<std::string>;
  board();
  const auto due = [&] {
    return context.site.read([&](SiteTables& tables) { return dueDomains(tables, TestNow, 10); });
  };
  context.site.write([](SiteTables& tables) {
    for (const bool domainMail : {true, false}) {
      Post post;
      post.listId = tables.lists.find("board@lists.example")->id;
      post.queueId = domainMail ? "D1" : "L1";
      post.verdict = "accepted";
      post.domainMail = domainMail;
      const auto id = tables.posts.add(post);
      for (const auto* protection : {"pickup", "smime"}) {
        LedgerRow row;
        row.id = tables.counters.take(CounterStore::Copy);
        row.postId = id;
        row.recipient = std::string("nora@") + protection + (domainMail ? ".example" : ".list.example");
        row.protection = protection;
        tables.ledger.add(row);
      }
    }
  });
  give("list.protect", {{"address", "board@lists.example"}, {"floor", "pickup"}, {"ladder", "smime,pickup"}});
  give("relay.add", {{"range", "192.0.2.0/24"}, {"domain", "example.org"}, {"list", "board@lists.example"}});
  BOOST_TEST((due() == Names{}));  // the list would not use it
  give("list.protect", {{"address", "board@lists.example"}, {"floor", "tls"}, {"ladder", "smime,tls,pickup"}});
  BOOST_TEST((due() == Names{"pickup.example"}));
  give("domain.distrust", {{"domain", "pickup.example"}, {"reason", "free mail"}});
  BOOST_TEST((due() == Names{}));
}

BOOST_AUTO_TEST_CASE(domains_are_due_where_the_ladder_could_use_tls_and_nothing_can_be_sealed) {
  using Names = std::vector<std::string>;
  board();
  const auto due = [&](TimePoint before) {
    return context.site.read([&](SiteTables& tables) { return dueDomains(tables, before, 10); });
  };
  give("list.protect", {{"address", "board@lists.example"}, {"floor", "tls"}, {"ladder", "smime,openpgp"}});
  give("member.add", {{"list", "board@lists.example"}, {"address", "ann@never.example"}});
  BOOST_TEST((due(TestNow) == Names{}));  // the list would not use it
  give("member.set", {{"list", "board@lists.example"}, {"address", "ann@never.example"}, {"wish", "tls"}});
  BOOST_TEST((due(TestNow) == Names{"never.example"}));  // but this member would
  give("member.set", {{"list", "board@lists.example"}, {"address", "ann@never.example"}, {"wish", "none"}});
  give("list.protect", {{"address", "board@lists.example"}, {"floor", "tls"}, {"ladder", "smime,tls"}});
  give("member.add", {{"list", "board@lists.example"}, {"address", "bob@example.org"}});
  note(TlsMeans::Dane);
  BOOST_TEST((due(TestNow) == Names{"never.example"}));
  BOOST_TEST((due(TestNow + 1h) == Names{"never.example", "example.org"}));  // the longest unasked first
  give("domain.distrust", {{"domain", "never.example"}, {"reason", "free mail"}});
  BOOST_TEST((due(TestNow + 1h) == Names{"example.org"}));
  give("list.protect", {{"address", "board@lists.example"}, {"floor", "openpgp"}, {"ladder", "smime,openpgp"}});
  BOOST_TEST((due(TestNow + 1h) == Names{}));
}

BOOST_AUTO_TEST_CASE(members_stand_by_what_deliveries_and_marks_say_of_their_domain) {
  board();
  give("list.protect", {{"address", "board@lists.example"}, {"floor", "tls"}, {"ladder", "smime,tls,pickup"}});
  give("member.add", {{"list", "board@lists.example"}, {"address", "ann@example.org"}});
  give("member.add", {{"list", "board@lists.example"}, {"address", "bob@other.example"}});
  const auto standing = [&](const std::string& member) {
    return context.site.read([&](SiteTables& tables) {
      return tables.members.find(tables.lists.find("board@lists.example")->id, member).value().protection;
    });
  };
  BOOST_TEST(standing("ann@example.org") == "pickup");
  learn(Outcome::Delivered, "dane", "2.0.0 ok");
  BOOST_TEST(standing("ann@example.org") == "tls");
  BOOST_TEST(standing("bob@other.example") == "pickup");
  give("domain.distrust", {{"domain", "example.org"}, {"reason", "free mail"}});
  BOOST_TEST(standing("ann@example.org") == "pickup");
  give("domain.unmark", {{"domain", "example.org"}, {"reason", "over"}});
  learn(Outcome::Delivered, "verified", "2.0.0 ok");
  BOOST_TEST(standing("ann@example.org") == "tls");
  give("domain.trust", {{"domain", "example.org"}, {"reason", "contract"}});
  BOOST_TEST(standing("ann@example.org") == "pickup");  // forgotten until it is asked again
  learn(Outcome::Delivered, "verified", "2.0.0 ok");
  learn(Outcome::Deferred, "", "the certificate is not trusted (demanded by the copy)");
  BOOST_TEST(standing("ann@example.org") == "pickup");
}

BOOST_AUTO_TEST_CASE(people_cannot_make_us_bother_a_domain_or_many_domains) {
  using Answer = DomainProbes::Answer;
  AskLimit limit(2, 10min);
  const AskLimit::Time start{1h};
  for (const auto at : {0min, 5min}) {
    BOOST_TEST(!limit.full("a.example", start + at));
    limit.take("a.example", start + at);
  }
  BOOST_TEST(limit.full("a.example", start + 9min));
  BOOST_TEST(!limit.full("b.example", start + 9min));
  BOOST_TEST(!limit.full("a.example", start + 10min));

  int started = 0;
  while (probes.mayAsk("owner", "d" + std::to_string(started) + ".example") == Answer::Yes) ++started;
  BOOST_TEST(started == 20);
  BOOST_TEST((probes.mayAsk("owner", "x.example") == Answer::TooOftenPerson));
  BOOST_TEST((probes.mayAsk("other", "x.example") == Answer::Yes));
  BOOST_TEST((probes.mayAsk("", "y.example") == Answer::Yes));
}

BOOST_AUTO_TEST_CASE(the_verdict_is_one_plain_sentence) {
  BOOST_TEST(verdictSentence({"a.example", TlsMeans::None, TestNow, "mx.a.example does not offer STARTTLS"}) ==
             "Mail to a.example cannot be sent over verified TLS: mx.a.example does not offer STARTTLS.");
  BOOST_TEST(has(verdictSentence({"a.example", TlsMeans::Sts, TestNow, ""}), "MTA-STS"));
}

BOOST_AUTO_TEST_SUITE_END()
