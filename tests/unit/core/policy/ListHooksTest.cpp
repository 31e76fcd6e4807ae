// The hooks that listd asks about: `post` for each list, `member` for each member in batches.
#include "tests/unit/core/policy/PolicyFixture.h"

using namespace postern::policy;
using namespace postern::policy::test;

namespace {

PostFacts postTo(const std::string& list, bool secure) {
  PostFacts post;
  post.author = "ann@example.org";
  post.mailFrom = "ann@example.org";
  post.subject = "hello";
  post.size = 1234;
  post.authorIsMember = true;
  post.proven = "yes";
  post.notes = {{"class", "high"}};
  post.list = {list, "Board", secure, "high", false, 3};
  return post;
}

const char* const Both = R"(
return { name = "probe", doc = "for a test", hooks = {
  post = function(post, list)
    assert(post.list.address == list.address and list.name == "Board" and list.members == 3 and not list.anyone_posts)
    if post.subject == "pass" then return end
    if not post.author_is_member or post.proven ~= "yes" then return reject{ reason = "stranger" } end
    if post:noted("class") == "high" and not list.secure then return hold{ reason = "class" } end
    if post:noted("other") then return accept() end
    if post.size > 5000 then return discard() end
    if post.subject == "later" then return defer() end
    if post.subject == "protect" then return protect{ protection = "pickup" } end
  end,
  member = function(post, member)
    if member.domain == "partner.example" then return protect{ protection = "openpgp", reason = "partner" } end
    if member.address == "refuse@example.org" then return reject() end
    if member.address == "none@example.org" then return protect{ protection = "none" } end
  end,
}, cases = {
  { title = "a stranger", hook = "post", post = { author_is_member = false },
    list = { name = "Board", members = 3 }, expect = { verdict = "reject", reason = "stranger" } },
  { title = "a partner", hook = "member", post = {}, member = "bob@partner.example",
    expect = { verdict = "protect", protection = "openpgp" } },
  { title = "another", hook = "member", post = { notes = { class = "low" } }, member = "bob@example.org",
    expect = { verdict = "pass" } },
} })";

std::string wordOf(const PolicyOutcome& outcome) {
  return outcome ? wordFor(outcome->kind) : "failure: " + wordFor(outcome.error().kind);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(core_policy_ListHooks)

BOOST_AUTO_TEST_CASE(a_post_is_passed_refused_held_or_dropped_and_nothing_else) {
  SetFolder folder;
  folder.write("probe.lua", Both);
  PolicyHost host(folder.options());
  for (const auto& result : host.status().lastReload.cases) BOOST_TEST(result.ok, result.title << ": " << result.text);
  BOOST_REQUIRE(host.status().hasSet);
  BOOST_TEST(host.asks(Hook::Post));
  auto post = postTo("board@example.org", true);
  BOOST_TEST(wordOf(host.post(post)) == "pass");
  post.size = 6000;
  BOOST_TEST(wordOf(host.post(post)) == "discard");
  post.list.secure = false;
  BOOST_TEST(wordOf(host.post(post)) == "hold");
  post.proven = "no";
  BOOST_TEST(wordOf(host.post(post)) == "reject");
  post = postTo("board@example.org", true);
  post.subject = "later";  // nobody waits for the reply any more
  BOOST_TEST(wordOf(host.post(post)) == "failure: script");
}

BOOST_AUTO_TEST_CASE(protection_that_policies_ask_of_a_post_only_grows_and_stops_no_later_policy) {
  SetFolder folder;
  folder.write("a.lua",
               "return { name = 'a', doc = 'x', hooks = { post = function(post) "
               "return protect{ protection = 'openpgp', reason = 'a' } end } }");
  folder.write("b.lua",
               "return { name = 'b', doc = 'x', hooks = { post = function(post) "
               "if post.subject == 'break' then error('x') end "
               "if post.subject == 'weaker' then return protect{ protection = 'tls' } end "
               "if post.subject == 'stronger' then return protect{ protection = 'smime' } end "
               "if post.subject == 'accept' then return accept() end "
               "if post.subject == 'hold' then return hold() end "
               "if post.subject == 'none' then return protect{ protection = 'none' } end end } }");
  folder.write("c.lua",
               "return { name = 'c', doc = 'x', hooks = { post = function(post) "
               "if post.subject == 'accept' then error('not asked any more') end "
               "if post.is_released then return protect{ protection = 'smime' } end end } }");
  PolicyHost host(folder.options());
  BOOST_REQUIRE(host.status().hasSet);
  const auto asked = [&](const std::string& subject, bool released) {
    auto post = postTo("board@example.org", true);
    post.subject = subject;
    post.released = released;
    const auto outcome = host.post(post);
    return outcome ? wordFor(outcome->kind) + outcome->protection : "failure: " + wordFor(outcome.error().kind);
  };
  BOOST_TEST(asked("hello", false) == "protectopenpgp");
  BOOST_TEST(asked("weaker", false) == "protectopenpgp");
  BOOST_TEST(asked("stronger", false) == "protectsmime");
  BOOST_TEST(asked("accept", false) == "protectopenpgp");
  BOOST_TEST(asked("hold", false) == "hold");
  BOOST_TEST(asked("none", false) == "failure: script");
  BOOST_TEST(asked("break", false) == "failure: script");
  // Once a person has let it go, what would stop it does not count, and what is behind that is asked.
  BOOST_TEST(asked("hold", true) == "protectsmime");
  BOOST_TEST(asked("break", true) == "failure: script");
}

BOOST_AUTO_TEST_CASE(members_are_asked_in_one_call_and_the_strongest_wish_counts) {
  SetFolder folder;
  folder.write("probe.lua", Both);
  folder.write("zz_more.lua",
               "return { name = 'zz_more', doc = 'x', hooks = { member = function(post, member) "
               "if match('s*', member.address) then return protect{ protection = 'smime' } end "
               "return protect{ protection = 'tls' } end } }");
  PolicyHost host(folder.options());
  BOOST_REQUIRE(host.status().hasSet);
  const auto calls = host.status().calls;
  std::vector<MemberFacts> members = {{"ann@example.org"}, {"bob@partner.example"}, {"sue@partner.example"}};
  for (int i = 0; i < 497; ++i) members.push_back({"m" + std::to_string(i) + "@example.org"});
  const auto outcome = host.members(postTo("board@example.org", true), members);
  BOOST_REQUIRE_MESSAGE(outcome.has_value(), detailOf(outcome));
  BOOST_REQUIRE(outcome->recipients.size() == 500u);
  BOOST_TEST(outcome->recipients[0].protection == "tls");
  BOOST_TEST(outcome->recipients[1].protection == "openpgp");  // not weakened by the policy behind it
  BOOST_TEST(outcome->recipients[2].protection == "smime");
  BOOST_TEST(host.status().calls == calls + 1);
  // What is no protection, or another verdict, is a failure of the whole: nobody is planned.
  for (const auto* address : {"refuse@example.org", "none@example.org"})
    BOOST_TEST(!host.members(postTo("board@example.org", true), {{"ann@example.org"}, {address}}), address);
}

BOOST_AUTO_TEST_CASE(a_hook_that_nobody_has_costs_nothing_and_without_a_set_posts_wait) {
  SetFolder folder("return pass()");
  PolicyHost host(folder.options());
  const auto calls = host.status().calls;
  BOOST_TEST(!host.asks(Hook::Post));
  BOOST_TEST(!host.asks(Hook::Member));
  BOOST_TEST(wordOf(host.post(postTo("board@example.org", true))) == "pass");
  BOOST_TEST(host.members(postTo("board@example.org", true), {{"a@b"}})->recipients.size() == 1u);
  BOOST_TEST(host.status().calls == calls);
  SetFolder broken;
  broken.write("probe.lua", "return");
  PolicyHost none(broken.options());
  BOOST_TEST(none.asks(Hook::Post));
  BOOST_TEST(none.asks(Hook::Member));
  BOOST_TEST(!none.asks(Hook::Connect));
  BOOST_TEST(wordOf(none.post(postTo("board@example.org", true))) == "failure: no-set");
  BOOST_TEST(!none.members(postTo("board@example.org", true), {{"a@b"}}));
}

BOOST_AUTO_TEST_SUITE_END()
