// The hooks of delivery: `attempt` and `expire`.
#include "tests/unit/core/policy/PolicyFixture.h"

using namespace postern::policy;
using namespace postern::policy::test;

namespace {

DeliveryFacts copyTo(const std::string& recipient) {
  DeliveryFacts copy;
  copy.kind = "content";
  copy.mailFrom = "board-bounces@example.org";
  copy.recipient = recipient;
  copy.protection = "smime";
  copy.floor = "pickup";
  copy.attempts = 2;
  copy.age = 7200;
  return copy;
}

const char* const Both = R"(
return { name = "probe", doc = "for a test", hooks = {
  attempt = function(copy)
    assert(copy.kind == "content" and copy.floor ~= "" and copy.mail_from ~= "")
    if copy.hop.tls and copy.hop.tls.version == "TLSv1.1" then return reject{ reason = "old-tls" } end
    if copy.domain == "careful.example" and not copy.hop.verified then return protect{ protection = "tls" } end
    if copy.domain == "hold.example" then return hold() end
    if copy.attempts > 5 then return defer() end
  end,
  expire = function(copy)
    if copy.failure then return pass() end
    if copy.domain == "refuse.example" then return reject() end
    if copy.age < 86400 then return defer{ reason = "wait" } end
  end,
}, cases = {
  { title = "old TLS", hook = "attempt", copy = { hop = { tls = { version = "TLSv1.1" } } },
    expect = { verdict = "reject", reason = "old-tls" } },
  { title = "in clear", hook = "attempt", copy = { recipient = "a@careful.example" },
    expect = { verdict = "protect", protection = "tls" } },
  { title = "verified", hook = "attempt", copy = { recipient = "a@careful.example", hop = { verified = true } },
    expect = { verdict = "pass" } },
  { title = "a day", hook = "expire", copy = { age = 100 }, expect = { verdict = "defer", reason = "wait" } },
  { title = "refused", hook = "expire", copy = { failure = "550 no" }, expect = { verdict = "pass" } },
} })";

std::string wordOf(const PolicyOutcome& outcome) {
  return outcome ? wordFor(outcome->kind) : "failure: " + wordFor(outcome.error().kind);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(core_policy_DeliveryHooks)

BOOST_AUTO_TEST_CASE(attempts_and_ends_are_judged_and_no_hook_gives_what_it_may_not) {
  SetFolder folder;
  folder.write("probe.lua", Both);
  PolicyHost host(folder.options());
  for (const auto& result : host.status().lastReload.cases) BOOST_TEST(result.ok, result.title << ": " << result.text);
  BOOST_REQUIRE(host.status().hasSet);
  auto copy = copyTo("a@careful.example");
  copy.hop = HopFacts{"mx.careful.example", "192.0.2.1", {}, false};
  BOOST_TEST(wordOf(host.delivery(Hook::Attempt, copy)) == "protect");
  copy.hop->tls = TlsFacts{"TLSv1.1", "x", 128, "none"};
  BOOST_TEST(wordOf(host.delivery(Hook::Attempt, copy)) == "reject");
  copy.hop->tls->version = "TLSv1.3";
  copy.hop->verified = true;
  BOOST_TEST(wordOf(host.delivery(Hook::Attempt, copy)) == "pass");
  copy.attempts = 6;
  BOOST_TEST(wordOf(host.delivery(Hook::Attempt, copy)) == "defer");
  copy.recipient = "a@hold.example";
  BOOST_TEST(wordOf(host.delivery(Hook::Attempt, copy)) == "failure: script");

  auto old = copyTo("a@b.example");
  BOOST_TEST(wordOf(host.delivery(Hook::Expire, old)) == "defer");
  old.age = 90000;
  BOOST_TEST(wordOf(host.delivery(Hook::Expire, old)) == "pass");
  old.recipient = "a@refuse.example";
  BOOST_TEST(wordOf(host.delivery(Hook::Expire, old)) == "failure: script");
  old.failure = "550 5.1.1 no";
  BOOST_TEST(wordOf(host.delivery(Hook::Expire, old)) == "pass");
}

BOOST_AUTO_TEST_CASE(a_route_names_hosts_and_nothing_else) {
  const auto asked = [](const std::string& verdict) {
    SetFolder folder;
    folder.write("probe.lua",
                 "return { name = 'probe', doc = 'x', hooks = { route = function(domain, hops) return " + verdict +
                     " end }, cases = { { title = 'x', hook = 'route', hops = { 'a.example', 'b.example' }, "
                     "expect = { verdict = 'route', hosts = { 'b.example', 'a.example' } } } } }");
    PolicyHost host(folder.options());
    if (!host.status().hasSet) return "refused: " + host.status().lastReload.cases.at(0).text;
    const auto outcome = host.route({"example.net", {{"a.example", "192.0.2.1", 25}, {"b.example", "192.0.2.2", 25}}});
    if (!outcome) return outcome.error().detail;
    std::string text;
    for (const auto& name : outcome->hosts) text += name + " ";
    return text;
  };
  BOOST_TEST(asked("route{ hosts = { hops[2].host, hops[1].host } }") == "b.example a.example ");
  for (const auto* wrong : {"route{}", "route{ hosts = {} }", "route{ hosts = 'b.example' }", "route{ hosts = { 5 } }",
                            "route{ hosts = { 'b example' } }", "route{ hosts = { 'b.example' }, to = 'x' }",
                            "protect{ protection = 'tls' }", "hold()", "route{ hosts = { hops[3].host } }"})
    BOOST_TEST(asked(wrong).find("refused: failure (script)") == 0u, wrong << ": " << asked(wrong));
  BOOST_TEST(asked("route{ hosts = { 'a.example' } }").find("refused: route: expected") == 0u);
}

BOOST_AUTO_TEST_CASE(without_the_hooks_nobody_is_asked_and_without_a_set_deliveries_wait) {
  SetFolder folder("return pass()");
  PolicyHost host(folder.options());
  BOOST_TEST(!host.asks(Hook::Attempt));
  BOOST_TEST(wordOf(host.delivery(Hook::Attempt, copyTo("a@b.example"))) == "pass");
  BOOST_TEST(host.status().calls == 0u);
  SetFolder broken;
  broken.write("probe.lua", "return");
  PolicyHost none(broken.options());
  BOOST_TEST(none.asks(Hook::Attempt));
  BOOST_TEST(none.asks(Hook::Expire));
  BOOST_TEST(wordOf(none.delivery(Hook::Attempt, copyTo("a@b.example"))) == "failure: no-set");
}

BOOST_AUTO_TEST_SUITE_END()
