// What policies say of posts and of members, asked of a gateway in memory by the whole of listd.
#include "core/app/Orders.h"
#include "listd/Listd.h"
#include "tests/unit/listd/FakeGateway.h"
#include "tests/unit/listd/ListdFixture.h"

#include <nlohmann/json.hpp>

using namespace postern;
using namespace postern::test;
using nlohmann::json;
using Kind = app::PostAnswer::Kind;
using app::Protection;

namespace {

// A secure list board@ that allows TLS (ann and bob with certificates, cid by verified TLS alone), an open one social@.
struct Stage {
  TempFolder folder;
  config::SiteConfig config = siteConfig(folder.path());
  SystemClock clock;
  FakeGateway gateway;
  std::unique_ptr<app::GatewayLinkServer> server;
  std::unique_ptr<Listd> listd;

  explicit Stage(std::uint16_t hooks) {
    gateway.hooks = hooks;
    SiteContext context(config, clock);
    const auto board = makeList(context, "board@lists.example", true);
    const auto social = makeList(context, "social@lists.example", false);
    for (const auto* name : {"ann", "bob", "cid"}) {
      const auto address = std::string(name) + "@example.org";
      if (address != "cid@example.org") addKey(context, memberCertificate(address, clock.now()));
      addMember(context, board, address);
      addMember(context, social, address);
    }
  }

  void start() {
    files::makePrivateFolder(config.gatewaySocket().parent_path());
    server = std::make_unique<app::GatewayLinkServer>(config.gatewaySocket().string(), gateway);
    listd = std::make_unique<Listd>(config);
    BOOST_REQUIRE(eventually([&] { return !gateway.routing().vaultPublicKey.empty(); }));
  }

  void send(const std::string& list = "board@lists.example", const std::string& subject = "hello") {
    gateway.accept(submissionTo({list}, "ann@example.org", subject, "text"));
  }

  json order(const std::string& name, const json& args = json::object()) {
    return app::OrderClient(config.commandSocket().string())
        .give(name, {"cli", "test", files::read(config.commandKey())}, args);
  }

  json lastPost() {
    json post;
    BOOST_REQUIRE(eventually([&] {
      const auto items = order("post.list").at("items");
      if (items.empty()) return false;
      post = items.front();
      const auto state = post.at("state");
      return state == "done" || state == "rejected" || state == "ignored";
    }));
    return post;
  }

  std::size_t contentCopies() const {
    const auto all = gateway.delivered();
    return static_cast<std::size_t>(std::count_if(
        all.begin(), all.end(), [](const auto& item) { return item.copy.kind == app::Copy::Kind::Content; }));
  }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(listd_plan_ListPolicies)

BOOST_AUTO_TEST_CASE(nobody_is_asked_where_no_policy_has_the_hook) {
  Stage stage(0);
  stage.start();
  stage.send();
  BOOST_TEST(stage.lastPost().at("delivered") == 2);
  BOOST_TEST(stage.gateway.postsAsked == 0);
}

BOOST_AUTO_TEST_CASE(a_post_goes_on_when_policies_pass_it_and_they_see_its_outside) {
  Stage stage(app::ListHook::Post);
  app::PostQuestion seen;
  stage.gateway.onPost = [&](const app::PostQuestion& question) {
    seen = question;
    return app::PostAnswer{Kind::Pass, {}, {}, {}, {}};
  };
  stage.start();
  stage.send();
  BOOST_TEST(stage.lastPost().at("delivered") == 2);
  BOOST_TEST(stage.gateway.postsAsked == 1);
  BOOST_TEST(seen.author == "ann@example.org");
  BOOST_TEST(seen.authorIsMember);
  BOOST_TEST(seen.subject == "hello");
  BOOST_TEST(seen.list == "board@lists.example");
  BOOST_TEST(seen.secure);
  BOOST_TEST(seen.members == 3u);
}

BOOST_AUTO_TEST_CASE(a_refused_post_goes_to_nobody_and_its_author_is_told) {
  Stage stage(app::ListHook::Post);
  stage.gateway.onPost = [](const app::PostQuestion&) {
    return app::PostAnswer{Kind::Reject, "too-many", "external_members", "no", {}};
  };
  stage.start();
  stage.send("social@lists.example");
  const auto post = stage.lastPost();
  BOOST_TEST(post.at("reason") == "policy-refused");
  BOOST_REQUIRE(eventually([&] { return !stage.gateway.delivered().empty(); }));
  const auto mails = stage.gateway.delivered();
  BOOST_REQUIRE_EQUAL(mails.size(), 1u);
  BOOST_TEST((mails[0].copy.kind == app::Copy::Kind::Report));
  BOOST_TEST(mails[0].copy.recipient == "ann@example.org");
  BOOST_TEST(mails[0].message.find("A rule of this site does not let it through") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_discarded_post_goes_to_nobody) {
  Stage stage(app::ListHook::Post);
  stage.gateway.onPost = [](const app::PostQuestion&) { return app::PostAnswer{Kind::Discard, "spam", "p", {}, {}}; };
  stage.start();
  stage.send("social@lists.example");
  BOOST_TEST(stage.lastPost().at("reason") == "policy-discarded");
  BOOST_TEST(stage.gateway.delivered().empty());
}

BOOST_AUTO_TEST_CASE(a_held_post_waits_in_the_quarantine_and_no_policy_stops_it_once_it_is_released) {
  Stage stage(app::ListHook::Post);
  std::atomic<int> released = 0;
  stage.gateway.onPost = [&](const app::PostQuestion& question) {
    released += question.released ? 1 : 0;
    return app::PostAnswer{Kind::Hold, "look", "p", {}, {}};
  };
  stage.start();
  stage.send();
  json held;
  BOOST_REQUIRE(eventually([&] {
    const auto items = stage.order("quarantine.list").at("items");
    if (!items.empty()) held = items.front();
    return !items.empty();
  }));
  BOOST_TEST(held.at("cause") == "policy");
  BOOST_TEST(stage.contentCopies() == 0u);
  BOOST_TEST(released == 0);
  stage.order("quarantine.release", {{"id", std::stoull(held.at("id").get<std::string>())}});
  BOOST_TEST(stage.lastPost().at("delivered") == 2);
  BOOST_TEST(released == 1);
}

BOOST_AUTO_TEST_CASE(what_a_policy_asks_of_a_posts_protection_strengthens_all_copies_and_never_weakens_them) {
  Stage stage(app::ListHook::Post);
  {
    SiteContext context(stage.config, stage.clock);
    ListProtection ladder;
    ladder.floor = Protection::Pickup;
    ladder.rungs = {Protection::Pickup, Protection::Smime};
    makeList(context, "desk@lists.example", true, ladder);
    const auto desk = context.site.read([](SiteTables& tables) { return *tables.lists.find("desk@lists.example"); });
    for (const auto* name : {"ann", "bob", "cid"}) addMember(context, desk, std::string(name) + "@example.org");
  }
  stage.gateway.onPost = [](const app::PostQuestion& question) {
    const auto floor = question.subject == "strong" ? Protection::Smime : Protection::Tls;
    return app::PostAnswer{Kind::Pass, {}, {}, {}, floor};
  };
  stage.start();
  const auto protectionOf = [&](const std::string& subject) {
    const auto before = stage.gateway.delivered().size();
    const auto posts = stage.order("post.list").at("items").size();
    stage.send("desk@lists.example", subject);
    BOOST_REQUIRE(eventually([&] {
      const auto items = stage.order("post.list").at("items");
      return items.size() > posts && items.front().at("state") == "done";
    }));
    std::map<std::string, Protection> got;
    const auto all = stage.gateway.delivered();
    for (auto i = before; i < all.size(); ++i)
      if (all[i].copy.kind == app::Copy::Kind::Content) got[all[i].copy.recipient] = all[i].copy.protection;
    return got;
  };
  auto got = protectionOf("weak");  // asks for less than the list: nothing changes
  BOOST_TEST(got.size() == 3u);
  for (const auto& [address, protection] : got) BOOST_TEST((protection == Protection::Pickup), address);
  got = protectionOf("strong");
  BOOST_TEST(got.size() == 2u);  // cid has no key
  for (const auto& [address, protection] : got) BOOST_TEST((protection == Protection::Smime), address);
}

BOOST_AUTO_TEST_CASE(an_open_list_does_not_take_a_post_that_a_policy_wants_protected) {
  Stage stage(app::ListHook::Post);
  stage.gateway.onPost = [](const app::PostQuestion&) {
    return app::PostAnswer{Kind::Pass, "class", "p", {}, Protection::Tls};
  };
  stage.start();
  stage.send("social@lists.example");
  BOOST_TEST(stage.lastPost().at("reason") == "policy-refused");
  BOOST_TEST(stage.contentCopies() == 0u);
}

BOOST_AUTO_TEST_CASE(a_failing_policy_passes_nothing_and_the_post_waits) {
  Stage stage(app::ListHook::Post);
  std::atomic<bool> broken = true;
  stage.gateway.onPost = [&](const app::PostQuestion&) {
    return broken ? app::PostAnswer{Kind::Failed, "policy-broken", "p", "it broke", {}}
                  : app::PostAnswer{Kind::Pass, {}, {}, {}, {}};
  };
  stage.start();
  stage.send();
  BOOST_REQUIRE(eventually([&] { return stage.gateway.postsAsked >= 2; }));
  BOOST_TEST(stage.order("post.list").at("items").empty());
  BOOST_TEST(stage.gateway.unfinished() == 1u);
  const auto status = stage.order("status").dump();
  BOOST_TEST(status.find("it broke") != std::string::npos, status);
  broken = false;
  BOOST_TEST(stage.lastPost().at("delivered") == 2);
}

BOOST_AUTO_TEST_CASE(policies_strengthen_the_protection_of_members_and_never_weaken_it) {
  // board@ takes S/MIME only: asking for less changes nothing. A list that takes pick-up gives S/MIME where it is
  // asked.
  Stage stage(app::ListHook::Member);
  {
    SiteContext context(stage.config, stage.clock);
    ListProtection ladder;
    ladder.floor = Protection::Pickup;
    ladder.rungs = {Protection::Pickup, Protection::Smime};
    makeList(context, "desk@lists.example", true, ladder);
    const auto desk = context.site.read([](SiteTables& tables) { return *tables.lists.find("desk@lists.example"); });
    for (const auto* name : {"ann", "bob", "cid"}) addMember(context, desk, std::string(name) + "@example.org");
  }
  std::atomic<int> batches = 0;
  stage.gateway.onMembers = [&](const app::MembersQuestion& question) {
    ++batches;
    app::MembersAnswer answer{false, {}, {}};
    for (const auto& member : question.members)
      answer.floors.push_back(question.post.list.starts_with("board") ? Protection::Tls
                              : member == "bob@example.org"           ? Protection::None
                                                                      : Protection::Smime);
    return answer;
  };
  stage.start();
  stage.send("board@lists.example");
  BOOST_TEST(stage.lastPost().at("withheld") == 1);
  for (const auto& [copy, message] : stage.gateway.delivered())
    if (copy.kind == app::Copy::Kind::Content) BOOST_TEST((copy.protection == Protection::Smime));
  BOOST_TEST(batches == 1);
  stage.send("social@lists.example");  // an open list: nobody is asked
  BOOST_REQUIRE(eventually([&] { return stage.order("post.list").at("items").size() == 2; }));
  BOOST_TEST(batches == 1);
  stage.send("desk@lists.example");
  BOOST_REQUIRE(eventually([&] {
    const auto items = stage.order("post.list").at("items");
    return items.size() == 3 && items.front().at("state") == "done";
  }));
  std::map<std::string, Protection> got;
  for (const auto& [copy, message] : stage.gateway.delivered())
    if (copy.kind == app::Copy::Kind::Content && copy.mailFrom.starts_with("desk-bounces"))
      got[copy.recipient] = copy.protection;
  BOOST_TEST((got["ann@example.org"] == Protection::Smime));
  BOOST_TEST((got["bob@example.org"] == Protection::Pickup));
  BOOST_TEST(!got.contains("cid@example.org"));  // no key, and S/MIME is asked for: withheld
}

BOOST_AUTO_TEST_CASE(too_few_answers_for_members_or_a_failure_plan_nothing) {
  Stage stage(app::ListHook::Member);
  std::atomic<int> asked = 0;
  stage.gateway.onMembers = [&](const app::MembersQuestion&) {
    return ++asked % 2 == 0 ? app::MembersAnswer{true, "it broke", {}}
                            : app::MembersAnswer{false, {}, {Protection::Tls}};
  };
  stage.start();
  stage.send();
  BOOST_REQUIRE(eventually([&] { return asked >= 2; }));
  BOOST_TEST(stage.order("post.list").at("items").empty());
  BOOST_TEST(stage.contentCopies() == 0u);
}

BOOST_AUTO_TEST_SUITE_END()
