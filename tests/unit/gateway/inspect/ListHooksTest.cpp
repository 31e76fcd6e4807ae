// What listd asks of the policies, as the gateway answers it.
#include "gateway/inspect/ListHooks.h"
#include "tests/unit/core/policy/PolicyFixture.h"

using namespace postern;
using Kind = app::PostAnswer::Kind;

namespace {

std::string policyWith(const std::string& hooks) {
  return "return { name = 'probe', doc = 'for a test', hooks = { " + hooks + " } }";
}

app::PostQuestion question(const std::string& subject) {
  app::PostQuestion post;
  post.author = "ann@example.org";
  post.subject = subject;
  post.list = "board@lists.example";
  post.secure = true;
  return post;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(gateway_inspect_ListHooks)

BOOST_AUTO_TEST_CASE(posts_and_members_are_judged_and_what_fails_never_passes) {
  policy::test::SetFolder folder;
  folder.write("probe.lua",
               policyWith("post = function(post, list) if post.subject == 'no' then return reject{ reason = 'no' } end "
                          "if post.subject == 'drop' then return discard() end "
                          "if post.subject == 'hold' then return hold() end "
                          "if post.subject == 'seal' then return protect{ protection = 'openpgp' } end "
                          "if post.subject == 'break' then error('x') end end, "
                          "member = function(post, member) if post.subject == 'break' then error('x') end "
                          "if match('a*', member.address) then return protect{ protection = 'openpgp' } end end"));
  policy::PolicyHost host(folder.options());
  BOOST_REQUIRE(host.status().hasSet);
  BOOST_TEST(gateway::activeListHooks(host) == (app::ListHook::Post | app::ListHook::Member));
  const auto kindOf = [&](const std::string& subject) { return gateway::judgePost(host, question(subject)).kind; };
  BOOST_TEST((kindOf("hello") == Kind::Pass));
  BOOST_TEST((kindOf("no") == Kind::Reject));
  BOOST_TEST((kindOf("drop") == Kind::Discard));
  BOOST_TEST((kindOf("hold") == Kind::Hold));
  BOOST_TEST((kindOf("break") == Kind::Failed));
  BOOST_TEST((kindOf("seal") == Kind::Pass));
  BOOST_TEST((gateway::judgePost(host, question("seal")).floor == app::Protection::OpenPgp));
  BOOST_TEST((gateway::judgePost(host, question("hello")).floor == app::Protection::None));
  BOOST_TEST(gateway::judgePost(host, question("no")).policy == "probe");
  const auto members = gateway::judgeMembers(host, {question("hello"), {"ann@x.org", "bob@x.org"}});
  BOOST_TEST(!members.failed);
  BOOST_TEST((members.floors == std::vector{app::Protection::OpenPgp, app::Protection::None}));
  BOOST_TEST(gateway::judgeMembers(host, {question("break"), {"ann@x.org"}}).failed);
}

BOOST_AUTO_TEST_CASE(without_a_set_posts_wait_and_without_the_hook_nobody_is_asked) {
  policy::test::SetFolder broken;
  broken.write("probe.lua", "nonsense");
  policy::PolicyHost none(broken.options());
  BOOST_TEST(gateway::activeListHooks(none) == (app::ListHook::Post | app::ListHook::Member));
  BOOST_TEST((gateway::judgePost(none, question("hello")).kind == Kind::Failed));
  BOOST_TEST(gateway::judgeMembers(none, {question("hello"), {"a@b"}}).failed);
  policy::test::SetFolder other("return pass()");
  policy::PolicyHost host(other.options());
  BOOST_TEST(gateway::activeListHooks(host) == 0);
}

BOOST_AUTO_TEST_SUITE_END()
