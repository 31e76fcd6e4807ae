// The hooks `attempt` and `expire`: what policies say of a copy before it goes to a server, and before it is given up.
#include "tests/unit/core/policy/PolicyFixture.h"
#include "tests/unit/gateway/deliver/DelivererFixture.h"

using namespace postern;
using namespace postern::gateway;
using namespace postern::test;
using namespace std::chrono_literals;
using namespace std::string_literals;
using Outcome = app::DeliveryEvent::Outcome;

namespace {

struct Fixture : gateway::test::DelivererFixture {
  policy::test::SetFolder folder;
  std::optional<policy::PolicyHost> policies;
  std::mutex mutex;
  std::string heard;
  MailSink sink;

  void judge(const std::string& hook, const std::string& body) {
    folder.write("probe.lua",
                 "return { name = 'probe', doc = 'x', hooks = { " + hook + " = function(copy) " + body + " end } }");
    policies.emplace(folder.options());
    BOOST_REQUIRE(policies->status().hasSet);
  }
  void listenTo(MailSink& to) {
    to.reply = [this](const std::string& line) {
      const std::lock_guard lock(mutex);
      heard += line + "\n";
      return ""s;
    };
  }
  bool hears(const std::string& text) {
    const std::lock_guard lock(mutex);
    return heard.find(text) != std::string::npos;
  }
  void startJudged() {
    deliverer.emplace(options, queue, resolver, tls, clock);
    deliverer->setRoutes(routes);
    deliverer->judgeBy(*policies);
    deliverer->start();
  }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(gateway_deliver_PolicyHooks, Fixture)

BOOST_AUTO_TEST_CASE(an_attempt_is_let_go_refused_or_put_off_before_a_byte_of_the_copy_leaves) {
  listenTo(sink);
  DialogPeer peer(std::ref(sink));
  route("*", peer);
  judge("attempt",
        "assert(copy.kind == 'content' and copy.protection == 'none' and copy.floor == 'none' and copy.age < 60) "
        "assert(copy.hop.address == '127.0.0.1' and not copy.hop.tls and not copy.hop.verified and not copy.failure) "
        "if copy.domain == 'no.example' then return reject{ reason = 'no', text = 'not there' } end "
        "if copy.domain == 'later.example' and copy.attempts == 0 then return defer{ reason = 'later' } end "
        "if copy.domain == 'broken.example' and copy.attempts == 0 then error('x') end");
  put(copyTo("yes.example"));
  put(copyTo("no.example"));
  put(copyTo("later.example"));
  put(copyTo("broken.example"));
  startJudged();
  BOOST_REQUIRE(queue.waitForFinished(4));
  eventOf(1, Outcome::Delivered);
  const auto refused = eventOf(2, Outcome::Failed);
  BOOST_TEST(refused.replyText == "5.7.1 not there (probe: no)");
  BOOST_TEST(refused.replyCode == 0);
  BOOST_TEST(refused.remoteAddress == "127.0.0.1");
  BOOST_TEST(!hears("r2@"));
  BOOST_TEST(eventOf(3, Outcome::Deferred).replyText.find("4.7.1") == 0u);
  eventOf(3, Outcome::Delivered);
  BOOST_TEST(eventOf(4, Outcome::Deferred).replyText.find("4.7.0 the policies") == 0u);  // a failure lets nothing go
  eventOf(4, Outcome::Delivered);
}

BOOST_AUTO_TEST_CASE(a_policy_may_want_more_tls_or_protection_than_the_copy_and_never_less) {
  listenTo(sink);
  DialogPeer peer(std::ref(sink));
  MailSink trusted;
  trusted.certificate = certificates.server("mx.example");
  DialogPeer trustedPeer(std::ref(trusted));
  route("plain.example", peer);
  route("safe.example", trustedPeer, app::Route::Tls::Opportunistic, "mx.example");
  judge("attempt",
        "if copy.floor == 'smime' then return accept() end "  // cannot lower it
        "if copy.mail_from:find('strong') then return protect{ protection = 'smime' } end "
        "return protect{ protection = 'tls' }");
  put(copyTo("plain.example"));
  put(copyTo("safe.example"));
  auto strong = copyTo("safe.example");
  strong.second.mailFrom = "strong@lists.example";
  put(strong);
  put(sealedTo("safe.example"));
  auto lowered = copyTo("plain.example");
  lowered.first.floor = lowered.second.floor = app::Protection::Smime;
  put(lowered);
  startJudged();
  BOOST_REQUIRE(queue.waitForFinished(4));
  BOOST_REQUIRE(queue.waitForEvents(5));
  BOOST_TEST(eventOf(1, Outcome::Deferred).replyText.find("wants verified TLS") != std::string::npos);
  eventOf(2, Outcome::Delivered);
  BOOST_TEST(eventOf(3, Outcome::Failed).replyText.find("protected by smime") != std::string::npos);
  eventOf(4, Outcome::Delivered);
  eventOf(5, Outcome::Blocked);
  BOOST_TEST(!hears("r1@"));
  BOOST_TEST(!hears("r5@"));
}

BOOST_AUTO_TEST_CASE(a_copy_whose_time_ran_out_stays_as_long_as_a_policy_wants_but_not_for_ever) {
  routes.push_back({"*", "127.0.0.1", 1, app::Route::Tls::Opportunistic});  // nobody is there
  judge("expire",
        "assert(not copy.hop and not copy.failure) "
        "if copy.domain == 'keep.example' or copy.domain == 'old.example' then return defer{ reason = 'keep' } end "
        "if copy.domain == 'broken.example' then error('x') end");
  const auto add = [&](const std::string& domain, std::chrono::hours age) {
    auto copy = copyTo(domain);
    copy.first.queuedAt = clock.now() - age;
    copy.first.expiresAt = clock.now() + 200ms;
    put(copy);
  };
  add("end.example", 1h);
  add("keep.example", 1h);
  add("broken.example", 1h);
  add("old.example", 31 * 24h);
  startJudged();
  BOOST_REQUIRE(queue.waitForFinished(2));
  eventOf(1, Outcome::Expired);
  eventOf(4, Outcome::Expired);
  const auto deferredBy = [&](std::uint64_t key, const std::string& text) {
    const auto events = queue.events();
    return std::any_of(events.begin(), events.end(), [&](const auto& event) {
      return event.copyKey == key && event.outcome == Outcome::Deferred &&
             event.replyText.find(text) != std::string::npos;
    });
  };
  BOOST_TEST(deferredBy(2, "(probe: keep)"));
  const auto limit = std::chrono::steady_clock::now() + 20s;
  while (!deferredBy(3, "cannot say whether") && std::chrono::steady_clock::now() < limit)
    std::this_thread::sleep_for(20ms);
  BOOST_TEST(deferredBy(3, "cannot say whether"));
  deliverer->stop();
  for (const auto& event : queue.events())
    BOOST_TEST((event.outcome == Outcome::Deferred || event.copyKey == 1 || event.copyKey == 4));
}

BOOST_AUTO_TEST_CASE(a_copy_that_a_server_refused_for_good_is_tried_again_where_a_policy_wants_it) {
  std::atomic<int> asked = 0;
  sink.reply = [&](const std::string& line) {
    if (line.find("RCPT") == 0 && line.find("r1@") != std::string::npos && asked++ == 0) return "550 5.1.1 who"s;
    if (line.find("RCPT") == 0 && line.find("r2@") != std::string::npos) return "550 5.1.1 never"s;
    return ""s;
  };
  DialogPeer peer(std::ref(sink));
  route("*", peer);
  judge("expire", "if copy.failure:find('who', 1, true) then return defer{ reason = 'again' } end");
  put(copyTo("x.example"));
  put(copyTo("x.example"));
  startJudged();
  BOOST_REQUIRE(queue.waitForFinished(2));
  BOOST_TEST(eventOf(1, Outcome::Deferred).replyCode == 550);
  eventOf(1, Outcome::Delivered);
  eventOf(2, Outcome::Failed);
}

BOOST_AUTO_TEST_CASE(a_policy_chooses_among_the_next_hops_and_no_others) {
  MailSink first;
  MailSink second;
  DialogPeer firstPeer(std::ref(first));
  DialogPeer secondPeer(std::ref(second));
  const auto both =
      "mx1.example:" + std::to_string(firstPeer.port()) + ",mx2.example:" + std::to_string(secondPeer.port());
  for (const auto* host : {"mx1.example", "mx2.example"}) resolver.host(host, {"127.0.0.1"});
  routes.push_back({"*", both, 25, app::Route::Tls::Opportunistic});
  folder.write(
      "probe.lua",
      "return { name = 'probe', doc = 'x', hooks = { route = function(domain, hops) "
      "assert(#hops == 2 and hops[1].host == 'mx1.example' and hops[2].address == '127.0.0.1' and hops[2].port > 0) "
      "if domain == 'second.example' then return route{ hosts = { hops[2].host } } end "
      "if domain == 'turned.example' then return route{ hosts = { hops[2].host, hops[1].host } } end "
      "if domain == 'strange.example' then return route{ hosts = { 'mx9.example' } } end "
      "if domain == 'mixed.example' then return route{ hosts = { hops[1].host, 'evil.example' } } end "
      "if domain == 'no.example' then return reject{ reason = 'no' } end "
      "if domain == 'broken.example' then error('x') end end } }");
  policies.emplace(folder.options());
  BOOST_REQUIRE(policies->status().hasSet);
  for (const auto* domain : {"first.example", "second.example", "strange.example", "mixed.example", "no.example",
                             "broken.example", "second.example", "first.example", "turned.example"})
    put(copyTo(domain));
  startJudged();
  BOOST_REQUIRE(queue.waitForFinished(6));
  const auto limit = std::chrono::steady_clock::now() + 20s;
  const auto waits = [&](std::uint64_t key, const std::string& text) {
    for (;;) {
      for (const auto& event : queue.events())
        if (event.copyKey == key && event.outcome == Outcome::Deferred)
          return event.replyText.find(text) != std::string::npos;
      if (std::chrono::steady_clock::now() > limit) return false;
      std::this_thread::sleep_for(10ms);
    }
  };
  const auto noPlace = "names a next hop that this domain does not have"s;
  BOOST_TEST(waits(3, noPlace));
  BOOST_TEST(waits(4, noPlace));
  BOOST_TEST(waits(6, "4.7.0 the policies"));
  eventOf(5, Outcome::Failed);
  for (const auto key : {1u, 8u}) BOOST_TEST(eventOf(key, Outcome::Delivered).remoteHost == "mx1.example");
  for (const auto key : {2u, 7u, 9u}) BOOST_TEST(eventOf(key, Outcome::Delivered).remoteHost == "mx2.example");
}

BOOST_AUTO_TEST_CASE(without_a_set_nothing_goes_and_without_the_hooks_nobody_is_asked) {
  listenTo(sink);
  DialogPeer peer(std::ref(sink));
  route("*", peer);
  folder.write("probe.lua", "nonsense");
  policies.emplace(folder.options());
  put(copyTo("x.example"));
  startJudged();
  BOOST_REQUIRE(queue.waitForEvents(1));
  eventOf(1, Outcome::Deferred);
  BOOST_TEST(!hears("r1@"));
  folder.write("probe.lua", policy::test::policyText("probe", "return pass()"));
  BOOST_REQUIRE(policies->reload().ok);
  BOOST_REQUIRE(queue.waitForFinished(1));
  eventOf(1, Outcome::Delivered);
  BOOST_TEST(policies->status().calls == 0u);
}

BOOST_AUTO_TEST_SUITE_END()
