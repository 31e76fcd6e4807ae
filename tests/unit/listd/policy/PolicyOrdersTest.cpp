#include "core/crypto/Encoding.h"
#include "listd/policy/PolicyCare.h"
#include "tests/unit/listd/orders/DeskFixture.h"

using namespace postern;
using namespace postern::listd;
using namespace postern::test;

namespace {

const json Good{{"a.lua", "return {}\nline\n"}, {"order.txt", "a\n"}};
const json Better{{"a.lua", "return {}\nother line\n"}, {"order.txt", "a\n"}};

// A gateway that finds a set bad when the word "broken" is in it, and remembers what it was given.
struct FakeDesk {
  std::string inForce;
  json sets = json::object();
  std::vector<std::string> asked;
  std::string answer = "{}";  // to explain
  bool away = false;

  std::string operator()(std::string_view action, std::string_view request, std::string_view) {
    if (away) throw Error(ErrorKind::Unavailable, "away");
    asked.emplace_back(action);
    const auto body = json::parse(request);
    const auto text = body.value("files", json::object()).dump();
    const bool ok = text.find("broken") == std::string::npos;
    json report{{"ok", ok}, {"digest", digestOf(body.value("files", json::object())).substr(0, 8)}};
    report["problems"] =
        ok ? json::array() : json::array({{{"file", "a.lua"}, {"line", 2}, {"text", "is\x1b[31m broken"}}});
    if (action == "use" && ok) inForce = report["digest"];
    if (action == "use" || action == "sets") sets = body["sets"];
    if (action == "explain") return answer;
    if (action == "state")
      return json{{"hasSet", true}, {"digest", inForce}, {"sets", digestOf(sets)}, {"shadow", ""}}.dump();
    if (action == "in-force") return json{{"files", Good}, {"digest", inForce}}.dump();
    return report.dump();
  }
};

struct PolicyRoom : Desk {
  FakeDesk gatewayDesk;
  PolicyCare care{[this](std::string_view action, std::string_view request, std::string_view submission) {
                    return gatewayDesk(action, request, submission);
                  },
                  {},
                  {}};
  PolicyRoom() { tools.policies = &care; }

  std::uint64_t store(const json& files) { return give("policy.store", {{"files", files}}).at("revision"); }
  std::uint64_t activate(const json& files) {
    return give("policy.activate", {{"revision", store(files)}, {"reason", "so"}}).at("revision");
  }
  std::uint64_t inForce() {
    return context.site.read([](SiteTables& tables) { return tables.policies.inForce().value().id; });
  }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(listd_policy_PolicyOrders, PolicyRoom)

BOOST_AUTO_TEST_CASE(what_is_stored_is_no_more_than_a_candidate) {
  const auto id = store(Good);
  BOOST_TEST(give("policy.history").at("items").front().at("state") == "candidate");
  BOOST_TEST(refusal("policy.show").starts_with("not-found"));
  BOOST_TEST(store(Good) == id);  // the same again is the same
  BOOST_TEST(gatewayDesk.inForce.empty());
}

BOOST_AUTO_TEST_CASE(a_set_that_fails_its_cases_stays_out_and_the_refusal_is_on_record) {
  const auto first = activate(Good);
  const auto id = store({{"a.lua", "broken"}});
  const auto said = refusal("policy.activate", {{"revision", id}, {"reason", "so"}});
  BOOST_TEST(said.starts_with("refused"));
  BOOST_TEST(said.find("a.lua:2: is [31m broken") != std::string::npos);  // and nothing that a terminal obeys
  BOOST_TEST(inForce() == first);
  BOOST_TEST(entries().front().find("policy.activate") != std::string::npos);
  BOOST_TEST(entries().front().find("denied") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_step_back_is_a_revision_of_its_own_and_two_steps_are_where_one_was) {
  const auto first = activate(Good);
  const auto second = activate(Better);
  const auto back = give("policy.rollback", {{"reason", "too strict"}});
  BOOST_TEST(back.at("backTo") == first);
  BOOST_TEST(back.at("revision") > second);
  BOOST_TEST(give("policy.show").at("files") == Good);
  BOOST_TEST(give("policy.rollback", {{"reason", "after all"}}).at("backTo") == second);
  BOOST_TEST(give("policy.show").at("files") == Better);
  BOOST_TEST(entries().front().find("root policy.rollback") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(what_cannot_be_tested_does_not_come_into_force) {
  const auto id = store(Good);
  gatewayDesk.away = true;
  BOOST_TEST(refusal("policy.activate", {{"revision", id}, {"reason", "so"}}).starts_with("unavailable"));
  BOOST_TEST(refusal("policy.show").starts_with("not-found"));
}

BOOST_AUTO_TEST_CASE(the_last_fifty_are_kept) {
  for (int i = 0; i < 55; ++i) {
    clock.advance(std::chrono::seconds(1));
    activate({{"a.lua", "return " + std::to_string(i)}});
  }
  BOOST_TEST(give("policy.history", {{"limit", 200}}).at("items").size() == 50u);
  BOOST_TEST(give("policy.show").at("files").at("a.lua") == "return 54");
}

BOOST_AUTO_TEST_CASE(a_difference_shows_the_lines_around_it) {
  const auto first = activate(Good);
  const auto diff = give("policy.diff", {{"revision", store(Better)}});
  BOOST_TEST(diff.at("against") == first);
  const json lines = json::array({{{"mark", " "}, {"text", "return {}"}},
                                  {{"mark", "-"}, {"text", "line"}},
                                  {{"mark", "+"}, {"text", "other line"}}});
  BOOST_TEST(diff.at("files") == json::array({{{"path", "a.lua"}, {"change", "changed"}, {"lines", lines}}}));
}

BOOST_AUTO_TEST_CASE(sets_go_to_the_gateway_with_the_order_and_are_counted_on_record) {
  BOOST_TEST(give("policy.set-add", {{"set", "domains"}, {"values", {" A.example", "b.example"}}}).at("entries") == 2);
  BOOST_TEST(gatewayDesk.sets == (json{{"domains", {"a.example", "b.example"}}}));
  BOOST_TEST(refusal("policy.set-remove", {{"set", "domains"}, {"value", "c.example"}}).starts_with("not-found"));
  const auto done = give("policy.set-import",
                         {{"set", "domains"}, {"text", "# new\nc.example\nb.example # old\n"}, {"replace", true}});
  BOOST_TEST(done.at("added") == 1);
  BOOST_TEST(done.at("removed") == 1);
  BOOST_TEST(gatewayDesk.sets == (json{{"domains", {"b.example", "c.example"}}}));
  BOOST_TEST(refusal("policy.set-add", {{"set", "Domains"}, {"value", "x"}}).starts_with("invalid"));
  BOOST_TEST(entries().front().find("policy.set-add Domains") == std::string::npos);
  gatewayDesk.away = true;
  BOOST_TEST(!give("policy.set-add", {{"set", "domains"}, {"value", "d"}}).at("atGateway").get<bool>());
  lookAfterPolicies(context, care);
  BOOST_TEST(care.behind);
  gatewayDesk.away = false;
  lookAfterPolicies(context, care);
  BOOST_TEST(!care.behind);
  BOOST_TEST(gatewayDesk.sets.at("domains").size() == 3u);
}

BOOST_AUTO_TEST_CASE(a_set_has_its_limit) {
  std::string lines;
  for (int i = 0; i < 100'001; ++i) lines += std::to_string(i) + "\n";
  BOOST_TEST(refusal("policy.set-import", {{"set", "many"}, {"text", lines}}).starts_with("invalid"));
  lines.resize(lines.size() - 7);
  BOOST_TEST(give("policy.set-import", {{"set", "many"}, {"text", lines}}).at("entries") == 100'000);
  BOOST_TEST(refusal("policy.set-add", {{"set", "many"}, {"value", "x"}}).starts_with("refused"));
  BOOST_TEST(give("policy.set-show", {{"set", "many"}, {"limit", 2}}).at("entries") == 100'000);
}

BOOST_AUTO_TEST_CASE(the_gateway_is_brought_to_what_the_store_says_and_its_folder_is_taken_over_once) {
  gatewayDesk.inForce = "folder";
  syncPolicies(context, care.ask);
  BOOST_TEST(give("policy.show").at("files") == Good);
  BOOST_TEST(give("policy.show").at("madeBy") == "system");
  gatewayDesk.asked.clear();
  syncPolicies(context, care.ask);
  BOOST_TEST(gatewayDesk.asked == std::vector<std::string>{"state"}, boost::test_tools::per_element());
  activate(Better);
  gatewayDesk.inForce = "something else";
  syncPolicies(context, care.ask);
  BOOST_TEST(gatewayDesk.inForce == digestOf(Better).substr(0, 8));
}

BOOST_AUTO_TEST_CASE(of_a_stored_message_no_word_is_told_that_a_policy_may_have_made_of_it) {
  board();
  const auto list =
      context.site.read([](SiteTables& tables) { return tables.lists.find("board@lists.example").value(); });
  context.vault.put(1, list.id, "From: a@x\r\nSubject: s3cret\r\n\r\ntext\r\n");
  context.site.write([&](SiteTables& tables) {
    Post post;
    post.queueId = "q1";
    post.listId = list.id;
    post.vaultObject = 1;
    post.client = "{}";
    post.verdict = "accepted";
    StoredObject object;
    object.id = 1;
    object.sensitivity = "low";
    tables.archive.add(object, list.id, tables.posts.add(post));
  });
  activate({{"a.lua", "reason = 'known'"}});
  const json verdict{{"verdict", "reject"}, {"policy", "a"}, {"reason", "s3cret"}, {"text", "s3cret"}, {"code", 555}};
  auto known = verdict;
  known["reason"] = "known";
  gatewayDesk.answer = json{{"unclear", ""},
                            {"recipients", {verdict, known}},
                            {"hooks",
                             {{{"hook", "message"},
                               {"recipients", {"board@lists.example"}},
                               {"outcome", {verdict}},
                               {"failure", nullptr},
                               {"steps",
                                {{{"policy", "a"},
                                  {"verdicts", {verdict, nullptr}},
                                  {"notes", {{{"key", "k"}, {"value", "s3cret"}}}}}}}}}}}
                           .dump();
  const auto told = give("policy.explain", {{"post", "q1"}});
  BOOST_TEST(told.dump().find("s3cret") == std::string::npos);
  BOOST_TEST(told.at("recipients").at(0).at("verdict") == "reject");
  BOOST_TEST(told.at("recipients").at(1).at("reason") == "known");
  BOOST_TEST(entries().front().find("policy.explain 1 ok") != std::string::npos);
  const auto pasted = give("policy.explain", {{"message", crypto::base64("To: b@lists.example\n\ns3cret")}});
  BOOST_TEST(pasted.dump().find("s3cret") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(who_watches_may_look_and_who_administers_proves_anew_who_they_are) {
  const auto first = activate(Good);
  const auto id = store(Better);
  const app::Actor officer{"web", "olga", {}, {}, {}, app::Role::Officer};
  const app::Actor admin{"web", "ada", {}, {}, {}, app::Role::Admin};
  const auto account = [&](const std::string& name, app::Roles roles) {
    Account made;
    made.name = name;
    made.roles = roles;
    made.createdAt = clock.now();
    made.userHandle = "handle-" + name;
    context.site.write([&](SiteTables& tables) { tables.accounts.add(made); });
  };
  account("olga", app::Role::Officer);
  account("ada", app::Role::Admin);
  BOOST_TEST(refusalAs(officer, "policy.history").empty());
  BOOST_TEST(refusalAs(officer, "policy.store", {{"files", Good}}).starts_with("denied"));
  BOOST_TEST(refusalAs(officer, "policy.set-add", {{"set", "s"}, {"value", "x"}}).starts_with("denied"));
  BOOST_TEST(refusalAs(officer, "policy.activate", {{"revision", id}, {"reason", "so"}}).starts_with("denied"));
  BOOST_TEST(inForce() == first);
  const auto* row = findOrder("policy.activate");
  BOOST_TEST_REQUIRE(row != nullptr);
  BOOST_TEST(row->access.stepUp);
  BOOST_TEST(findOrder("policy.rollback")->access.stepUp);
}

BOOST_AUTO_TEST_SUITE_END()
