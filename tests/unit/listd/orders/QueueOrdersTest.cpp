#include "listd/expand/RoutingView.h"
#include "tests/unit/listd/FakeGateway.h"
#include "tests/unit/listd/orders/DeskFixture.h"

#include <filesystem>
#include <thread>

using namespace postern;
using namespace postern::listd;
using namespace postern::test;

namespace {

// A desk beside a gateway with three copies: 11 and 12 of the board, 13 of nobody's list.
struct Queue : Desk {
  FakeGateway fake;
  std::optional<app::GatewayLinkServer> server;
  std::vector<std::pair<std::string, json>> asked;
  std::uint64_t changed = 1;

  Queue() {
    board();
    context.site.write([](SiteTables& tables) {
      Post post;
      post.listId = tables.lists.find("board@lists.example")->id;
      post.queueId = "0af7651916cd43dd8448eb211c80319c";
      post.messageId = "<one@example.org>";
      post.verdict = "accepted";
      const auto id = tables.posts.add(post);
      for (const std::uint64_t copy : {11, 12}) {
        LedgerRow row;
        row.id = copy;
        row.postId = id;
        row.recipient = "r" + std::to_string(copy) + "@dest.example";
        row.protection = "smime";
        tables.ledger.add(row);
      }
    });
    fake.onQueue = [this](const std::string& action, const std::string& request) {
      return answer(action, json::parse(request)).dump();
    };
    std::filesystem::create_directories(config.gatewaySocket().parent_path());
    server.emplace(config.gatewaySocket().string(), fake);
    for (int i = 0; i < 1000 && !gateway.connected(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(10));
    BOOST_REQUIRE(gateway.connected());
  }

  static json copy(std::uint64_t id) {
    return {{"id", id},           {"destination", "dest.example"},
            {"state", "waiting"}, {"paused", false},
            {"priority", "bulk"}, {"kind", "content"},
            {"attempts", 1},      {"queuedAt", 1000 + id},
            {"via", ""},          {"lastReply", "450 later"}};
  }

  json answer(const std::string& action, const json& request) {
    asked.emplace_back(action, request);
    if (action == "list") {
      const auto after = request.value("after", "");
      auto items = json::array();
      for (const std::uint64_t id : {11, 12, 13})
        if (after.empty() || id > std::stoull(after.substr(after.find('.') + 1))) items.push_back(copy(id));
      return {{"items", items}, {"next", ""}};
    }
    if (action == "show") return request.at("id") == 99 ? json::object() : copy(request.at("id"));
    if (action == "destinations")
      return {{"items", {{{"destination", "dest.example"}, {"retry", {300, 3600}}}}}, {"total", 1}};
    return {{"changed", changed}, {"ids", {11}}, {"onTheWay", 0}, {"needTls", 0}};
  }

  const json& lastRequest() const { return asked.back().second; }
  app::Actor person(const std::string& name, const std::string& role) {
    context.site.write([&](SiteTables& tables) {
      Account account;
      account.name = account.userHandle = name;
      account.roles = app::roleFromWord(role).value();
      account.createdAt = TestNow;
      tables.accounts.add(account);
    });
    return {"web", name};
  }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(listd_orders_QueueOrders, Queue)

BOOST_AUTO_TEST_CASE(the_gateways_rows_get_their_list_and_recipient_for_those_who_may_see_them) {
  const auto all = give("queue.list").at("items");
  BOOST_REQUIRE_EQUAL(all.size(), 3u);
  BOOST_TEST(all[0].at("recipient") == "r11@dest.example");
  BOOST_TEST(all[0].at("list") == "board@lists.example");
  BOOST_TEST(all[2].at("recipient") == "");
  BOOST_TEST(give("queue.show", {{"id", "12"}}).at("recipient") == "r12@dest.example");
  const auto seenBy = [&](const std::string& role) {
    const auto who = person("p-" + role, role);
    return giveAs(who, "queue.list").dump() + giveAs(who, "queue.show", {{"id", "11"}}).dump() +
           giveAs(who, "queue.show", {{"id", "one@example.org"}}).dump();
  };
  BOOST_TEST(has(seenBy("helpdesk"), "r11@"));
  for (const auto* role : {"auditor", "officer"}) BOOST_TEST(!has(seenBy(role), "r11@"), role);
  const auto helper = person("harry", "helpdesk");
  for (const auto* order : {"queue.drop", "queue.hold", "queue.reroute", "queue.pause", "destination.set"})
    BOOST_TEST(has(refusalAs(helper, order, {{"id", "11"}, {"reason", "x"}}), "denied:"), order);
}

BOOST_AUTO_TEST_CASE(a_list_is_found_over_pages_and_the_next_page_begins_behind_the_last_row) {
  const auto page = give("queue.list", {{"list", "Board@lists.example"}, {"limit", 1}});
  BOOST_REQUIRE_EQUAL(page.at("items").size(), 1u);
  BOOST_TEST(page.at("next") == "1011.11");
  const auto rest = give("queue.list", {{"list", "board@lists.example"}, {"limit", 5}, {"after", page.at("next")}});
  BOOST_REQUIRE_EQUAL(rest.at("items").size(), 1u);
  BOOST_TEST(rest.at("items")[0].at("id") == 12);
  BOOST_TEST(rest.at("next") == "");
}

BOOST_AUTO_TEST_CASE(filters_reach_the_gateway_and_nonsense_does_not) {
  give("queue.list", {{"destination", "Dest.Example"}, {"state", "held"}, {"olderThan", "4h"}});
  BOOST_TEST(lastRequest().at("destination") == "dest.example");
  BOOST_TEST(lastRequest().at("state") == "held");
  BOOST_TEST(lastRequest().at("before") == toMicros(TestNow - std::chrono::hours(4)));
  const auto before = asked.size();
  for (const auto& args : {json{{"state", "gone"}}, json{{"olderThan", "soon"}}, json{{"olderThan", "0h"}},
                           json{{"olderThan", "99999999d"}}, json{{"after", "1"}}, json{{"after", "a.b"}}})
    BOOST_TEST(has(refusal("queue.list", args), "invalid:"), args.dump());
  BOOST_TEST(asked.size() == before);
}

BOOST_AUTO_TEST_CASE(a_message_is_shown_with_its_copies) {
  for (const auto* id : {"0af7651916cd43dd8448eb211c80319c", "<one@example.org>", "one@example.org"}) {
    const auto shown = give("queue.show", {{"id", id}});
    BOOST_TEST(shown.at("trace") == "0af7651916cd43dd8448eb211c80319c");
    BOOST_TEST(shown.at("copies").size() == 3u);
    BOOST_TEST(lastRequest().at("trace") == "0af7651916cd43dd8448eb211c80319c");
  }
  BOOST_TEST(has(refusal("queue.show", {{"id", "<other@example.org>"}}), "not-found:"));
  BOOST_TEST(has(refusal("queue.show", {{"id", "99"}}), "not-found:"));
  BOOST_TEST(has(refusal("queue.show", {{"id", "99999999999999999999"}}), "not-found:"));
}

BOOST_AUTO_TEST_CASE(an_order_names_one_kind_of_copies_and_is_recorded) {
  for (const auto& args : {json::object(), json{{"id", "11"}, {"all", true}}, json{{"id", "11"}, {"destination", "x"}}})
    BOOST_TEST(has(refusal("queue.hold", args), "usage:"), args.dump());
  BOOST_TEST(asked.empty());
  BOOST_TEST(give("queue.hold", {{"destination", "dest.example"}}).at("changed") == 1);
  BOOST_TEST(lastRequest().at("destination") == "dest.example");
  give("queue.retry", {{"id", "one@example.org"}});
  BOOST_TEST(lastRequest().at("trace") == "0af7651916cd43dd8448eb211c80319c");
  give("queue.release", {{"id", 11}});
  BOOST_TEST(lastRequest().at("ids") == json{11});
  changed = 0;
  BOOST_TEST(has(refusal("queue.release", {{"id", 11}}), "not-found:"));
  BOOST_TEST(give("queue.retry", {{"all", true}}).at("changed") == 0);
  BOOST_TEST(has(entries().at(1), "queue.release 11 denied"));
}

BOOST_AUTO_TEST_CASE(a_copy_is_dropped_only_with_a_reason_that_is_kept) {
  BOOST_TEST(has(refusal("queue.drop", {{"id", 11}}), "--reason"));
  BOOST_TEST(asked.empty());
  give("queue.drop", {{"id", 11}, {"reason", "sent by mistake"}});
  BOOST_TEST(lastRequest().at("reason") == "sent by mistake");
  BOOST_TEST(has(refusal("queue.drop", {{"id", 11}, {"reason", "two\nlines"}}), "invalid:"));
  BOOST_TEST(has(refusal("queue.drop", {{"id", 11}, {"reason", std::string(201, 'x')}}), "invalid:"));
  const auto reason = context.site.read([](SiteTables& tables) {
    AuditFilter all;
    all.limit = 100;
    for (const auto& row : tables.audit.list(all))
      if (const auto entry = audit::parseEntry(row.entry).value(); entry[audit::Field::Outcome] == "ok")
        return std::string(entry[audit::Field::ReasonText]);
    return std::string();
  });
  BOOST_TEST(reason == "sent by mistake");
}

BOOST_AUTO_TEST_CASE(another_way_is_one_host_or_back) {
  const std::map<std::string, std::string> ways = {
      {"MX.example.org", "mx.example.org:25"}, {"mx.example.org:2525", "mx.example.org:2525"},
      {"192.0.2.1", "192.0.2.1:25"},           {"2001:db8::1", "[2001:db8::1]:25"},
      {"[2001:db8::1]", "[2001:db8::1]:25"},   {"[2001:db8::1]:26", "[2001:db8::1]:26"}};
  for (const auto& [given, kept] : ways) {
    give("queue.reroute", {{"id", 11}, {"host", given}});
    BOOST_TEST(lastRequest().at("via") == kept);
  }
  give("queue.reroute", {{"id", 11}, {"back", true}});
  BOOST_TEST(lastRequest().at("via") == "");
  for (const auto* host : {"a.example,b.example", "", "a b", "a@b", "a:0", "a:99999", "a:", "[", "user@[::1]"})
    BOOST_TEST(!refusal("queue.reroute", {{"id", 11}, {"host", host}}).empty(), host);
  BOOST_TEST(has(refusal("queue.reroute", {{"id", 11}, {"host", "a"}, {"back", true}}), "usage:"));
}

BOOST_AUTO_TEST_CASE(what_is_set_for_a_destination_reaches_the_gateway_and_is_taken_away_again) {
  const auto set =
      give("destination.set", {{"name", "Example.org"}, {"connections", 4}, {"perMinute", 60}, {"retry", "5m,15m,1h"}});
  BOOST_TEST(set.at("retry") == (json{"5m", "15m", "1h"}));
  BOOST_TEST(eventually([&] { return fake.routing().shapes.size() == 1; }));
  const auto shape = fake.routing().shapes.at(0);
  BOOST_TEST(shape.destination == "example.org");
  BOOST_TEST(shape.connections == 4u);
  BOOST_TEST(shape.perMinute == 60u);
  BOOST_TEST(shape.retry == (std::vector<std::uint32_t>{300, 900, 3600}), boost::test_tools::per_element());
  BOOST_TEST(give("destination.set", {{"name", "example.org"}, {"connections", 2}}).at("perMinute") == 60);
  give("destination.set", {{"name", "example.org"}, {"retry", "default"}});
  BOOST_TEST(give("destination.list").at("items").at(0).at("retry").empty());
  give("destination.reset", {{"name", "example.org"}});
  BOOST_TEST(buildRoutingView(context).shapes.empty());
  BOOST_TEST(has(refusal("destination.reset", {{"name", "example.org"}}), "not-found:"));
}

BOOST_AUTO_TEST_CASE(settings_that_make_no_sense_are_refused) {
  const auto with = [&](const json& more, const char* name = "example.org") {
    json args{{"name", name}};
    args.update(more);
    return refusal("destination.set", args);
  };
  BOOST_TEST(has(with(json::object()), "usage:"));
  BOOST_TEST(has(with({{"connections", 101}}), "invalid:"));
  BOOST_TEST(has(with({{"perMinute", 60001}}), "invalid:"));
  for (const auto* retry : {"5", "soon", "5m,", ",5m", "-5m", "8d", "0m", "5m 15m", "4294967295d"})
    BOOST_TEST((has(with({{"retry", retry}}), "invalid:") || std::string(retry) == "5"), retry);
  std::string many = "1m";
  for (int i = 0; i < 20; ++i) many += ",1m";
  BOOST_TEST(has(with({{"retry", many}}), "too many pauses"));
  for (const auto* name : {"", "a b", "x@y.example", "example..org"})
    BOOST_TEST(!with({{"connections", 1}}, name).empty(), name);
  for (const auto* name : {"*", "192.0.2.7", "2001:db8::1"}) BOOST_TEST(with({{"connections", 1}}, name).empty(), name);
}

BOOST_AUTO_TEST_CASE(a_pause_is_of_all_or_of_one_shows_in_status_and_outlives_a_reset) {
  give("queue.pause");
  give("queue.pause", {{"name", "example.org"}});
  give("destination.set", {{"name", "example.org"}, {"connections", 3}});
  give("destination.reset", {{"name", "example.org"}});
  const auto view = buildRoutingView(context);
  BOOST_REQUIRE_EQUAL(view.shapes.size(), 2u);
  for (const auto& shape : view.shapes) BOOST_TEST(shape.paused);
  const auto problems = give("status").at("problems").dump();
  BOOST_TEST(has(problems, "No mail is sent since"));
  BOOST_TEST(has(problems, "postern queue resume example.org"));
  give("queue.resume");
  give("queue.resume", {{"name", "example.org"}});
  BOOST_TEST(has(refusal("queue.resume"), "not-found:"));
  BOOST_TEST(buildRoutingView(context).shapes.empty());
}

BOOST_AUTO_TEST_CASE(destinations_are_shown_with_pauses_in_words) {
  const auto item = give("queue.destinations").at("items").at(0);
  BOOST_TEST(item.at("retry") == (json{"5m", "1h"}));
  BOOST_TEST(item.at("lastReply") == "");
}

BOOST_AUTO_TEST_CASE(a_gateway_that_is_away_is_said_to_be) {
  server.reset();
  BOOST_TEST(eventually([&] { return !gateway.connected(); }));
  for (const auto* order : {"queue.list", "queue.destinations"}) BOOST_TEST(has(refusal(order), "unavailable:"));
  for (const auto* order : {"queue.retry", "queue.hold", "queue.release"})
    BOOST_TEST(has(refusal(order, {{"id", 5}}), "unavailable:"));
}

BOOST_AUTO_TEST_SUITE_END()
