// Ways around floors, holds and second persons that were open once.
#include "listd/orders/OrderDesk.h"
#include "listd/retention/RetentionRequests.h"
#include "tests/unit/listd/Browsers.h"
#include "tests/unit/listd/retention/RetentionFixture.h"

#include <sqlite3.h>

using namespace postern;
using namespace postern::test;
using nlohmann::json;

namespace {

const app::Actor Ada{"web", "ada", {}, "s1", "192.0.2.1"};      // admin
const app::Actor Olga{"web", "olga", {}, "s2", "192.0.2.2"};    // officer
const app::Actor Otto{"web", "otto", {}, "s3", "192.0.2.3"};    // owner of list a
const app::Actor Peter{"web", "peter", {}, "s4", "192.0.2.4"};  // approver

struct Desk : Site {
  const GatewayAddress address{config.gatewaySocket().string(), Secret()};
  GatewayControl gateway{context, address};
  Troubles troubles;
  crypto::PasswordHasher passwords;
  OrderTools tools{context, gateway, troubles, passwords, clock.now()};
  OrderDesk desk{tools};
  Browsers browsers;

  Desk() {
    list("a");
    list("b");
    const auto add = [&](const char* name, app::Roles roles) {
      context.site.write([&](SiteTables& tables) {
        Account account;
        account.name = name;
        account.roles = roles;
        account.userHandle = name;
        account.createdAt = clock.now();
        tables.accounts.add(account);
      });
    };
    add("ada", app::Role::Admin);
    add("olga", app::Role::Officer);
    add("otto", app::Role::Owner);
    add("peter", app::Role::Approver);
    context.site.write([&](SiteTables& tables) { tables.accounts.setLists("otto", {list("a").id}); });
  }

  json give(const app::Actor& actor, const std::string& order, const json& args) {
    const auto here = browsers.signedIn(context, actor, clock.now());
    context.site.write([&](SiteTables& tables) {
      tables.sessions.recordStepUp(tables.sessions.find(here.token, clock.now())->ref, clock.now());
    });
    return desk.handle(order, here, args);
  }
  std::string refusal(const app::Actor& actor, const std::string& order, const json& args) {
    try {
      give(actor, order, args);
    } catch (const app::OrderRefused& refused) {
      return refused.error().code + ": " + refused.error().message;
    }
    return {};
  }
  std::vector<std::string> labels(std::uint64_t object) {
    return context.site.read([&](SiteTables& tables) { return tables.archive.message(object)->labels; });
  }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(listd_retention_Loopholes)

BOOST_AUTO_TEST_CASE(what_was_announced_as_destroyed_is_never_reported_as_kept_and_destroyed_later) {
  Site site;
  site.rule({{"tier", "default"}, {"effect", "both"}, {"period", "1 year"}});
  const auto first = site.receive({"a"}, "2020-01-01", "x");
  const auto second = site.receive({"a"}, "2020-01-02", "y");
  site.goTo("2024-01-01");
  const auto inKeys = [&](const char* sql) {
    sqlite3* keys = nullptr;
    BOOST_REQUIRE(sqlite3_open((site.config.dataFolder / "keys/keys.db").c_str(), &keys) == SQLITE_OK);
    BOOST_REQUIRE(sqlite3_exec(keys, sql, nullptr, nullptr, nullptr) == SQLITE_OK);
    sqlite3_close(keys);
  };
  inKeys("CREATE TRIGGER full BEFORE DELETE ON object_keys BEGIN SELECT RAISE(ABORT, 'full'); END");
  // The tombstone is in the register, but keys.db takes nothing.
  const auto verdict = site.gate().dispose(DestructionCaller::RetentionRun, 0, {{first, site.list("a").id}}).front();
  BOOST_TEST(verdict.destroyed);
  BOOST_TEST(!site.readable(first));
  BOOST_TEST(site.lines() == 1u);
  inKeys("DROP TRIGGER full");
  // The row goes with the next destruction, and with no second line.
  BOOST_TEST(site.gate().dispose(DestructionCaller::RetentionRun, 0, {{second, site.list("a").id}}).front().destroyed);
  BOOST_TEST(site.context.keys.objects() == 0u);
  BOOST_TEST(site.lines() == 2u);
}

BOOST_AUTO_TEST_CASE(the_class_of_a_list_does_not_change_under_a_floor_or_a_hold_that_asks_for_it) {
  Desk site;
  site.rule({{"tier", "default"}, {"effect", "both"}, {"period", "1 year"}});
  site.rule({{"tier", "floor"}, {"effect", "retain"}, {"period", "6 years"}, {"scope", {{"listClasses", {"high"}}}}});
  const json low{{"address", "a@lists.example"}, {"class", "low"}};
  const json high{{"address", "a@lists.example"}, {"class", "high"}};
  BOOST_TEST(site.refusal(Ada, "list.set", low).empty());  // it has no mail yet
  BOOST_TEST(site.refusal(Ada, "list.set", high).empty());
  const auto m = site.receive({"a"}, "2020-01-01", "x");
  BOOST_TEST((site.datesOf(m, "a").retainUntil == day("2026-01-01")));
  BOOST_TEST(site.refusal(Ada, "list.set", low).starts_with("refused: what must be kept depends on the class"));
  BOOST_TEST(site.refusal(Ada, "list.set", {{"address", "a@lists.example"}, {"description", "board"}}).empty());
  BOOST_TEST((site.datesOf(m, "a").retainUntil == day("2026-01-01")));
}

BOOST_AUTO_TEST_CASE(a_label_that_destroys_needs_a_second_person_and_an_owner_labels_own_mail_only) {
  Desk site;
  site.rule({{"tier", "default"}, {"effect", "both"}, {"period", "7 years"}});
  site.rule({{"tier", "label"}, {"effect", "both"}, {"period", "90 days"}, {"scope", {{"labels", {"trivial"}}}}});
  const auto m = site.receive({"b"}, "2020-01-01", "x");
  const json label{{"object", std::to_string(m)}, {"label", "trivial"}, {"list", "a@lists.example"}, {"reason", "r"}};
  BOOST_TEST(site.refusal(Otto, "object.label", label).starts_with("not-found"));
  const auto asked = site.give(Olga, "object.label", label);
  BOOST_TEST(asked.at("request").at("kind") == "object.label");
  BOOST_TEST(site.labels(m).empty());
  site.give(Peter, "request.approve", {{"id", asked.at("request").at("id")}});
  BOOST_TEST(site.labels(m).empty());  // not before its day
  site.clock.advance(std::chrono::days(7));
  site.context.requests.runDue(site.tools, site.clock.now());
  BOOST_TEST(site.labels(m) == std::vector<std::string>{"trivial"}, boost::test_tools::per_element());
  auto plain = label;
  plain["label"] = "important";
  BOOST_TEST(site.give(Olga, "object.label", plain).at("labels").size() == 2u);
}

BOOST_AUTO_TEST_CASE(a_change_is_not_carried_out_on_a_rule_that_changed_since) {
  Desk site;
  const auto id = site.rule({{"tier", "default"}, {"effect", "both"}, {"period", "7 years"}});
  site.receive({"a"}, "2020-01-01", "x");
  RuleDraft draft;
  draft.remove = id;
  const auto before =
      site.context.site.read([&](SiteTables& tables) { return tables.rules.history(id).back().rule.json(); });
  const auto asked = site.context.site.write([&](SiteTables& tables) {
    const OrderCall call{"rule.remove", Olga, Args(json::object()), {}};
    return requestRuleChange(site.tools, tables, call, {draft, "r", before, json(), json{{"id", "1"}}});
  });
  site.context.site.write([&](SiteTables& tables) {
    auto version = tables.rules.history(id).back();
    version.rule.period = records::Period::parse("10 years").value();
    tables.rules.add(version);
  });
  BOOST_TEST(
      site.refusal(Peter, "request.approve", {{"id", asked.at("id")}}).starts_with("refused: the rule was changed"));
}

BOOST_AUTO_TEST_CASE(an_event_of_the_past_needs_a_second_person) {
  Desk site;
  site.rule({{"tier", "scoped"}, {"effect", "both"}, {"period", "5 years"}, {"start", "list-closed"}});
  const auto m = site.receive({"a"}, "2020-01-01", "x");
  site.goTo("2024-01-01");
  const json past{
      {"event", "list-closed"}, {"list", "a@lists.example"}, {"reason", "r"}, {"at", toMicros(day("2018-01-01"))}};
  const auto asked = site.give(Olga, "event.record", past);
  BOOST_TEST(asked.at("request").at("kind") == "event.record");
  BOOST_TEST((site.datesOf(m, "a").retainUntil == records::Never));
  site.give(Peter, "request.approve", {{"id", asked.at("request").at("id")}});
  BOOST_TEST((site.datesOf(m, "a").retainUntil == records::Never));
  site.clock.advance(std::chrono::days(7));
  site.context.requests.runDue(site.tools, site.clock.now());
  BOOST_TEST((site.datesOf(m, "a").retainUntil == day("2023-01-01")));
}

BOOST_AUTO_TEST_CASE(erasing_a_persons_mail_needs_a_step_up) {
  BOOST_TEST(findOrder("erasure.answer")->access.stepUp);
}

BOOST_AUTO_TEST_SUITE_END()
