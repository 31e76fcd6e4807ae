// Nobody gets power over others alone, by a claim, a link, a token or a role.
#include "listd/audit/AuditKeeper.h"
#include "listd/mailout/SealedLink.h"
#include "listd/mailout/SiteMail.h"
#include "tests/unit/listd/people/AccountsFixture.h"

#include <algorithm>
#include <set>

using namespace postern;
using namespace postern::test;

BOOST_AUTO_TEST_SUITE(listd_people_Control)

BOOST_AUTO_TEST_CASE(a_token_never_does_what_needs_a_step_up_also_not_after_proving_its_person) {
  Accounts a;
  a.setUp();
  a.secrets["alice"] = a.secret;
  a.stepUp("alice");
  const auto made = a.giveAs(Accounts::web("alice"), "token.create",
                             {{"name", "ci"}, {"scopes", "account:write session:write"}, {"days", 9}});
  const app::Actor api{"api", "", made.at("token").get<std::string>()};
  const json invite{{"name", "eve"}, {"roles", "helpdesk"}};
  BOOST_TEST(has(a.refusalAs(api, "account.invite", invite), "denied: an access token cannot do this"));
  a.clock.advance(std::chrono::seconds(30));
  a.refusalAs(api, "session.step-up", {{"password", Password}, {"totp", a.code()}});
  BOOST_TEST(has(a.refusalAs(api, "account.invite", invite), "denied: an access token cannot do this"));
  for (const auto table : orderTables())
    for (const auto& row : table)
      if (row.access.stepUp) {
        Person person;
        person.account = "alice";
        person.roles = app::Roles::fromBits(0xFF);
        person.byToken = true;
        const std::string name(row.name);
        person.scopes = {name.substr(0, name.find('.')) + ":write"};
        const auto denial = denialOf(row, person, json::object(), true);
        BOOST_TEST((denial && denial->code == "denied"), name);
      }
}

BOOST_AUTO_TEST_CASE(wrong_tokens_are_throttled_per_client_and_others_are_not_touched) {
  Accounts a;
  a.setUp();
  a.secrets["alice"] = a.secret;
  a.stepUp("alice");
  const auto token = a.giveAs(Accounts::web("alice"), "token.create", {{"name", "ci"}, {"scopes", "list:read"}})
                         .at("token")
                         .get<std::string>();
  const auto ask = [&](const std::string& secret, const std::string& client) {
    return a.refusalAs({"api", "", secret, {}, client}, "list.list");
  };
  for (int i = 0; i < 20; ++i) BOOST_TEST(has(ask("ptn_" + std::to_string(i), "192.0.2.1"), "unknown"));
  BOOST_TEST(has(ask(token, "192.0.2.1"), "too many access tokens"));
  BOOST_TEST(ask(token, "192.0.2.2").empty());
  a.clock.advance(std::chrono::minutes(6));
  BOOST_TEST(ask(token, "192.0.2.1").empty());
}

BOOST_AUTO_TEST_CASE(roles_that_control_others_need_an_approver_once_there_is_one) {
  Accounts a;
  a.setUp();
  a.join("olga", "officer");  // nobody could approve yet
  a.join("petra", "approver");
  const auto ask = [&](const std::string& order, json args) {
    args["reason"] = "she starts on Monday";
    const auto answer = a.give(order, args);
    BOOST_REQUIRE(answer.contains("request"));
    return answer.at("request").at("id").get<std::uint64_t>();
  };
  BOOST_TEST(has(a.refusal("account.invite", {{"name", "ute"}, {"roles", "auditor"}}), "usage: \"reason\" is missing"));
  for (const auto* role : {"admin", "officer", "approver", "auditor"})
    BOOST_TEST(a.give("account.invite", {{"name", "n"}, {"roles", role}, {"reason", "r"}}).contains("request"), role);
  for (const auto* role : {"custodian", "owner", "helpdesk", "member"})
    BOOST_TEST(a.give("account.invite", {{"name", std::string("n-") + role}, {"roles", role}}).contains("token"), role);
  // Not done before it is approved, nor by the person, nor by one who is no approver.
  const auto invite = ask("account.invite", {{"name", "ute"}, {"roles", "auditor"}});
  BOOST_TEST(has(a.refusal("account.show", {{"name", "ute"}}), "not-found"));
  const auto approve = [&](const std::string& who, std::uint64_t id) {
    a.stepUp(who);
    return a.refusalAs(Accounts::web(who), "request.approve", {{"id", id}, {"words", "yes"}});
  };
  BOOST_TEST(has(approve("olga", invite), "denied:"));
  BOOST_TEST(approve("petra", invite).empty());
  BOOST_TEST(a.give("account.show", {{"name", "ute"}}).at("state") == "invited");
  const auto link = a.give("account.recover", {{"name", "ute"}}).at("token").get<std::string>();
  a.secrets["ute"] = a.secretOf(link);
  a.give("user.setup", {{"token", link}, {"password", Password}, {"totp", a.codeOf("ute")}});
  // More for oneself: the approver concerned does not decide, and there is no other.
  const json own{{"name", "petra"}, {"roles", "approver,officer"}, {"reason", "r"}};
  BOOST_TEST(has(a.refusal("account.set", own), "neither asked for it nor is concerned"));
  a.config.outsideAddress = "board@outside.example";
  const auto more = ask("account.set", {{"name", "petra"}, {"roles", "approver,officer"}});
  BOOST_TEST(has(approve("petra", more), "about your own account"));
  BOOST_TEST(a.giveAs(Accounts::web("petra"), "request.show", {{"id", more}}).at("mayDecide") == false);
  BOOST_TEST(a.give("account.show", {{"name", "petra"}}).at("roles") == json::array({"approver"}));
  // Taking away is done at once; giving back is asked for, and so is letting in again.
  a.give("account.set", {{"name", "ute"}, {"roles", "helpdesk"}});
  ask("account.set", {{"name", "ute"}, {"roles", "auditor"}});
  a.give("account.disable", {{"name", "olga"}});
  const auto back = ask("account.set", {{"name", "olga"}, {"state", "enabled"}});
  BOOST_TEST(a.give("account.show", {{"name", "olga"}}).at("state") == "disabled");
  BOOST_TEST(approve("petra", back).empty());
  BOOST_TEST(a.give("account.show", {{"name", "olga"}}).at("state") == "enabled");
}

BOOST_AUTO_TEST_CASE(an_admin_does_not_become_an_approver_by_a_new_link_or_by_sending_the_approvers_away) {
  Accounts a;
  a.setUp();
  a.join("petra", "approver");
  a.join("hans", "helpdesk");
  BOOST_TEST(has(a.refusal("account.recover", {{"name", "petra"}}), "\"reason\" is missing"));
  // Only petra could decide, and it is about her: time decides, and mail to somebody outside.
  const json recover{{"name", "petra"}, {"reason", "lost phone"}};
  BOOST_TEST(has(a.refusal("account.recover", recover), "outside_address"));
  a.config.outsideAddress = "board@outside.example";
  const auto request = a.give("account.recover", recover).at("request");
  BOOST_TEST(request.at("lone") == true);
  BOOST_TEST(a.give("account.show", {{"name", "petra"}}).at("state") == "enabled");
  BOOST_TEST(a.give("account.recover", {{"name", "hans"}}).contains("token"));
  a.give("account.disable", {{"name", "petra"}});
  for (const auto* role : {"approver", "admin"}) {
    const auto asked = a.give("account.invite", {{"name", "eve"}, {"roles", role}, {"reason", "r"}});
    BOOST_TEST(asked.at("request").at("lone") == true);
  }
  BOOST_TEST(has(a.refusal("account.show", {{"name", "eve"}}), "not-found"));
}

BOOST_AUTO_TEST_CASE(a_link_is_mailed_where_the_address_is_known_and_stands_nowhere_in_clear) {
  Accounts a;
  a.setUp();
  const auto made = a.give("account.invite", {{"name", "hans"}, {"roles", "helpdesk"}, {"mail", "hans@example.org"}});
  BOOST_TEST(made.at("mailed") == true);
  const auto token = made.at("token").get<std::string>();
  const auto mails = [&] {
    return a.context.site.read([](SiteTables& tables) { return tables.siteMail.planned(10); });
  };
  BOOST_REQUIRE(mails().size() == 1u);
  const auto mail = mails()[0].mail;
  BOOST_TEST(mail.recipient == "hans@example.org");
  BOOST_TEST(!has(mail.link, token));
  BOOST_TEST(openLink(a.context.root, mail.link) == made.at("url").get<std::string>());
  BOOST_TEST(filesWith(a.folder.path(), token).empty());
  BOOST_TEST(a.give("account.invite", {{"name", "nomail"}, {"roles", "helpdesk"}}).at("mailed") == false);
  BOOST_TEST(a.give("account.recover", {{"name", "hans"}}).at("mailed") == true);
  BOOST_TEST(mails().size() == 2u);
  BOOST_CHECK_THROW(openLink(a.context.root, "https://other.example/setup" + mail.link.substr(mail.link.find('?'))),
                    Error);
}

BOOST_AUTO_TEST_CASE(opening_the_sealed_account_alarms_all_staff_and_stands_in_the_status_until_it_is_reviewed) {
  Accounts a;
  a.setUp();
  a.join("ute", "auditor");
  a.join("wim", "owner");
  for (const auto* name : {"alice", "ute", "wim"})
    a.give("account.set", {{"name", name}, {"mail", std::string(name) + "@example.org"}});
  const auto sealed = a.give("break-glass.seal");
  const auto problems = [&] { return a.give("status").at("problems").dump(); };
  BOOST_TEST(!has(problems(), "emergency account"));
  a.give("break-glass.open", {{"code", sealed.at("code")}, {"reason", "fire"}, {"client", "c"}});
  std::set<std::string> told;
  for (const auto& row : a.context.site.read([](SiteTables& tables) { return tables.siteMail.planned(10); })) {
    BOOST_TEST(siteMailWord(row.mail.kind) == "break-glass");
    told.insert(row.mail.recipient);
  }
  BOOST_TEST((told == std::set<std::string>{"alice@example.org", "ute@example.org"}));
  BOOST_TEST(has(problems(), "emergency account"));
  a.clock.advance(std::chrono::hours(5));
  BOOST_TEST(has(problems(), "nobody has reviewed it"));
  a.giveAs(Accounts::web("ute"), "break-glass.review", {{"id", sealed.at("id")}, {"words", "looked"}});
  BOOST_TEST(!has(problems(), "emergency account"));
}

BOOST_AUTO_TEST_CASE(the_web_process_cannot_pass_for_the_command_line_whatever_it_says) {
  Accounts a;
  a.setUp();
  using Entrance = OrderDesk::Entrance;
  OrderDesk door(a.tools, Secret("the key"));
  const auto refusal = [&](OrderDesk& desk, Entrance entrance, const app::Actor& actor) {
    try {
      desk.handleFrom(entrance, "account.invite", actor, {{"name", "eve"}, {"roles", "helpdesk"}});
    } catch (const app::OrderRefused& refused) {
      return refused.error().code + ": " + refused.error().message;
    }
    return std::string();
  };
  const std::string unbelieved = "denied: who gives this order is not believed here";
  for (const auto* kind : {"cli", "CLI", "root", "", "listd"})
    for (const auto* key : {"", "the key", "another"})
      BOOST_TEST(refusal(door, Entrance::Web, {kind, "root", key}) == unbelieved, kind);
  for (const auto* key : {"", "the ke", "the key ", "another"})
    BOOST_TEST(refusal(door, Entrance::CommandLine, {"cli", "root", key}) == unbelieved, key);
  for (const auto* kind : {"web", "system", ""})
    BOOST_TEST(refusal(door, Entrance::CommandLine, {kind, "alice", "the key"}) == unbelieved, kind);
  OrderDesk keyless(a.tools);
  BOOST_TEST(refusal(keyless, Entrance::CommandLine, {"cli", "root", ""}) == unbelieved);
  BOOST_TEST(a.entries().front() == "command line account.invite  denied denied");
  BOOST_TEST(refusal(door, Entrance::Web, {"cli", "root", "the key"}) == unbelieved);
  BOOST_TEST(a.entries().front() == "webadmin account.invite  denied denied");
  BOOST_TEST(has(refusal(door, Entrance::Web, Accounts::web("alice", "never seen")), "signed-out:"));
  BOOST_TEST(has(refusal(door, Entrance::Web, {"api", "", "ptn_wrong"}), "signed-out:"));
  BOOST_TEST(refusal(door, Entrance::CommandLine, {"cli", "root", "the key"}).empty());
}

namespace {

// The site's mail, newest first: "kind recipient".
std::vector<std::string> mailsOf(Accounts& a) {
  return a.context.site.read([](SiteTables& tables) {
    std::vector<std::string> lines;
    for (const auto& row : tables.siteMail.newest(50))
      lines.push_back(std::string(siteMailWord(row.mail.kind)) + " " + row.mail.recipient);
    return lines;
  });
}

void deliverAll(Accounts& a) {
  a.context.site.write([&](SiteTables& tables) {
    for (const auto& row : tables.siteMail.newest(50)) {
      app::DeliveryEvent event;
      event.copyKey = row.copyKey;
      event.at = a.clock.now();
      event.attempt = 1;
      event.replyCode = 250;
      tables.siteMail.record(event);
    }
  });
}

std::uint64_t idOf(const json& answer) {
  BOOST_REQUIRE(answer.contains("request"));
  BOOST_TEST(answer.at("request").at("kind") == "account.one-person");
  BOOST_TEST(answer.at("request").at("lone") == true);
  return answer.at("request").at("id");
}

}  // namespace

BOOST_AUTO_TEST_CASE(shutting_out_acts_at_once_and_the_one_who_stays_decides_nothing_alone_for_seven_days) {
  Accounts a;
  a.setUp();
  a.join("petra", "approver");
  for (const auto* name : {"alice", "petra"})
    a.give("account.set", {{"name", name}, {"mail", std::string(name) + "@example.org"}});
  a.config.outsideAddress = "notary@outside.example";
  a.stepUp("petra");
  BOOST_TEST(a.refusalAs(Accounts::web("petra"), "request.list").empty());
  const auto answer = a.give("account.disable", {{"name", "petra"}, {"reason", "she left"}});
  BOOST_TEST(answer.at("state") == "disabled");
  const auto request = idOf(answer);
  BOOST_TEST(has(a.refusalAs(Accounts::web("petra"), "request.list"), "signed-out:"));
  a.clock.advance(std::chrono::seconds(30));
  BOOST_TEST(!a.signIn(Password, a.codeOf("petra"), "192.0.2.7", "petra").empty());
  const auto mails = mailsOf(a);
  for (const auto* mail : {"lone-person-change notary@outside.example", "one-person-site alice@example.org",
                           "one-person-site petra@example.org"})
    BOOST_TEST(std::count(mails.begin(), mails.end(), mail) == 1, mail);
  const auto status = [&] { return a.give("status"); };
  BOOST_TEST(status().at("onePersonSite") == false);
  BOOST_TEST(has(status().at("problems").dump(), "lets one person alone decide"));
  // A grant of a role waits, and excluded roles do not come into one hand.
  const json both{{"name", "alice"}, {"roles", "admin,officer"}, {"reason", "r"}};
  BOOST_TEST(has(a.refusal("account.set", both), "may not be one person"));
  // What time does not decide among several people, it does not decide now.
  const auto lone = [&] {
    return a.context.site.write([&](SiteTables& tables) {
      Request run;
      run.kind = "retention.run";
      run.payload = json::object();
      run.title = "t";
      run.reason = "r";
      run.requester = "alice";
      return a.context.requests.make(a.tools, tables, run).lone;
    });
  };
  BOOST_TEST(!lone());
  // Seven days, and only once the mail outside has arrived.
  const auto pass = [&](std::chrono::seconds time) {
    a.clock.advance(time);
    a.context.requests.runDue(a.tools, a.clock.now());
  };
  pass(Requests::LoneWait);
  BOOST_TEST(status().at("onePersonSite") == false);
  deliverAll(a);
  pass(std::chrono::minutes(1));
  BOOST_TEST(a.give("request.show", {{"id", request}}).at("state") == "done");
  BOOST_TEST(status().at("onePersonSite") == true);
  BOOST_TEST(lone());
}

BOOST_AUTO_TEST_CASE(a_new_approver_whom_no_other_can_allow_waits_seven_days_and_can_be_stopped_outside) {
  Accounts a;
  a.setUp();
  a.join("olga", "officer");  // while nobody could approve it
  a.join("petra", "approver");
  a.config.outsideAddress = "notary@outside.example";
  a.give("account.disable", {{"name", "petra"}});  // two people are left, and no approver
  const auto asked = a.give("account.invite", {{"name", "eve"}, {"roles", "approver"}, {"reason", "petra left"}});
  const auto request = asked.at("request").at("id").get<std::uint64_t>();
  BOOST_TEST(asked.at("request").at("lone") == true);
  const auto mails = mailsOf(a);
  BOOST_TEST(std::count(mails.begin(), mails.end(), "lone-person-change notary@outside.example") == 1);
  const auto state = [&] { return a.give("request.show", {{"id", request}}).at("state"); };
  const auto pass = [&](std::chrono::seconds time) {
    a.clock.advance(time);
    a.context.requests.runDue(a.tools, a.clock.now());
  };
  // Nobody decides it meanwhile: not who asked, not the officer, not who was shut out.
  for (const auto* name : {"alice", "olga"}) {
    if (std::string_view(name) == "alice") a.secrets["alice"] = a.secret;
    a.stepUp(name);
    BOOST_TEST(!a.refusalAs(Accounts::web(name), "request.approve", {{"id", request}, {"words", "yes"}}).empty());
  }
  deliverAll(a);
  pass(Requests::LoneWait - std::chrono::hours(1));
  BOOST_TEST(state() == "waiting");
  BOOST_TEST(has(a.refusal("account.show", {{"name", "eve"}}), "not-found"));
  pass(std::chrono::hours(2));
  BOOST_TEST(state() == "done");
  BOOST_TEST(a.give("account.show", {{"name", "eve"}}).at("state") == "invited");
  // What the new approver decides is still nothing of their own, and a second approver comes by their hand.
  const auto link = a.give("account.recover", {{"name", "eve"}}).at("token").get<std::string>();
  a.secrets["eve"] = a.secretOf(link);
  a.give("user.setup", {{"token", link}, {"password", Password}, {"totp", a.codeOf("eve")}});
  const auto next = a.give("account.invite", {{"name", "udo"}, {"roles", "approver"}, {"reason", "two eyes more"}});
  BOOST_TEST(next.at("request").at("lone") == false);
}

BOOST_AUTO_TEST_CASE(a_lost_officer_comes_back_by_a_second_person_only_and_never_by_the_sealed_account_alone) {
  Accounts a;
  a.setUp();
  a.join("olga", "officer");
  a.join("petra", "approver");
  const auto sealed = a.give("break-glass.seal");
  const json open{{"code", sealed.at("code")}, {"reason", "olga lost all keys"}, {"client", "192.0.2.9"}};
  const auto name = a.give("break-glass.open", open).at("name").get<std::string>();
  const auto emergency = Accounts::web(name);
  // A request is all that anybody gets for an account with power over mail.
  const auto asked = a.give("account.recover", {{"name", "olga"}, {"reason", "lost phone"}});
  const auto request = asked.at("request").at("id").get<std::uint64_t>();
  BOOST_TEST(asked.at("request").at("lone") == false);
  BOOST_TEST(!asked.contains("token"));
  for (const auto* order : {"request.approve", "hold.release", "retention.run", "object.read"})
    BOOST_TEST(has(a.refusalAs(emergency, order, {{"id", request}, {"words", "yes"}}), "denied:"), order);
  const json grant{{"name", name}, {"roles", "admin,approver"}, {"reason", "r"}};
  a.refusalAs(emergency, "account.set", grant);
  for (const auto& role : a.give("account.show", {{"name", name}}).at("roles")) BOOST_TEST(role == "admin");
  // The officer keeps the old ways in until the approver has decided; then there is a new link, once.
  BOOST_TEST(a.give("account.show", {{"name", "olga"}}).at("state") == "enabled");
  a.stepUp("petra");
  BOOST_TEST(a.refusalAs(Accounts::web("petra"), "request.approve", {{"id", request}, {"words", "known"}}).empty());
  BOOST_TEST(a.give("request.show", {{"id", request}}).at("state") == "done");
  // After four hours it is over, whatever it did.
  a.clock.advance(std::chrono::hours(4));
  BOOST_TEST(has(a.refusalAs(emergency, "account.list"), "signed-out:"));
  BOOST_TEST(has(a.give("status").at("problems").dump(), "emergency account"));
}

BOOST_AUTO_TEST_CASE(shutting_out_asks_for_nothing_and_only_mail_outside_begins_the_seven_days) {
  Accounts a;
  a.setUp();
  a.join("petra", "approver");
  const auto problems = [&] { return a.give("status").at("problems").dump(); };
  for (const auto* outside : {"", "not an address", "alice@example.org"}) {
    a.config.outsideAddress = outside;
    a.give("account.set", {{"name", "alice"}, {"mail", "alice@example.org"}});
    const auto answer = a.give("account.disable", {{"name", "petra"}});
    BOOST_TEST(answer.at("state") == "disabled");
    BOOST_TEST(!answer.contains("request"), outside);
    BOOST_TEST(has(problems(), "One person is left"));
    BOOST_TEST(a.give("status").at("onePersonSite") == false);
  }
  a.config.outsideAddress = "notary@outside.example";
  idOf(a.give("account.disable", {{"name", "petra"}}));
  BOOST_TEST(!a.give("account.disable", {{"name", "petra"}}).contains("request"));
  BOOST_TEST(!has(problems(), "One person is left"));
}

BOOST_AUTO_TEST_CASE(roles_taken_leave_one_person_too_and_one_who_administers_always_stays) {
  Accounts a;
  a.setUp();
  a.join("petra", "approver,officer");
  a.config.outsideAddress = "notary@outside.example";
  // The last administrator is not shut out.
  BOOST_TEST(has(a.refusal("account.disable", {{"name", "alice"}, {"reason", "r"}}), "nobody would be left"));
  // With a third person two are left, and shutting out begins nothing.
  a.join("hans", "helpdesk");
  BOOST_TEST(!a.give("account.disable", {{"name", "petra"}}).contains("request"));
  const auto answer = a.give("account.set", {{"name", "hans"}, {"roles", "owner"}});
  idOf(answer);
  BOOST_TEST(answer.at("roles") == json::array({"owner"}));
  BOOST_TEST(a.give("status").at("onePersonSite") == false);
}

BOOST_AUTO_TEST_CASE(a_moved_clock_is_a_problem_that_everybody_sees) {
  Accounts a;
  BOOST_TEST(!has(a.give("status").at("problems").dump(), "clock of its machine"));
  a.config.clockOffset = -std::chrono::seconds(90);
  BOOST_TEST(has(a.give("status").at("problems").dump(), "90 seconds behind the clock of its machine"));
  a.config.clockOffset = std::chrono::seconds(1);
  BOOST_TEST(has(a.give("status").at("problems").dump(), "1 second ahead of the clock of its machine"));
  const auto recorded = [&] {
    {
      const AuditKeeper start(a.context, [](SiteTables&, const SiteMail&, TimePoint) {});
    }
    const auto entries = a.entries();
    return std::any_of(entries.begin(), entries.end(), [](const auto& one) { return has(one, "listd.clock-offset"); });
  };
  a.config.clockOffset = {};
  BOOST_TEST(!recorded());
  a.config.clockOffset = std::chrono::seconds(1);
  BOOST_TEST(recorded());
}

BOOST_AUTO_TEST_CASE(a_sign_in_costs_one_hash_and_gives_one_answer_whatever_is_wrong) {
  Accounts a;
  a.setUp();
  a.join("hans", "helpdesk");
  a.join("petra", "approver");
  a.give("account.set", {{"name", "hans"}, {"state", "disabled"}});
  a.give("account.invite", {{"name", "ivan"}, {"roles", "helpdesk"}});
  a.context.site.write([](SiteTables& tables) { tables.accounts.setPassword("petra", ""); });  // by passkey alone
  struct Cost {
    std::uint64_t hashes;
    std::string answer;
  };
  int client = 0;
  const auto attempt = [&](const std::string& name, const std::string& password, const std::string& code) {
    a.clock.advance(std::chrono::seconds(30));
    const auto before = a.passwords.computed();
    const auto answer = a.signIn(password, code, "192.0.2." + std::to_string(++client), name);
    return Cost{a.passwords.computed() - before, answer};
  };
  const auto unknown = attempt("nobody", Password, "000000");
  BOOST_TEST(unknown.hashes == 1u);
  BOOST_TEST(!unknown.answer.empty());
  const auto same = [&](const Cost& cost, const char* what) {
    BOOST_TEST(cost.hashes == unknown.hashes, what);
    BOOST_TEST(cost.answer == unknown.answer, what);
  };
  same(attempt("alice", "wrong", "000000"), "wrong password");
  same(attempt("alice", Password, "000000"), "wrong second factor");
  same(attempt("hans", Password, "000000"), "disabled");
  same(attempt("ivan", "", "000000"), "invited");
  same(attempt("petra", Password, "000000"), "without a password");
  // One who is slowed down costs the same, for an account and for none.
  for (int i = 0; i < 12; ++i) attempt(i % 2 == 0 ? "alice" : "nobody", "wrong", "000000");
  same(attempt("alice", "wrong", "000000"), "slowed down");
  same(attempt("nobody", "wrong", "000000"), "slowed down");
  // The second step tells nothing either: no ticket, or a ticket and a wrong proof of any kind.
  const auto second = [&](json args) {
    args["client"] = "203.0.113.9";
    const auto before = a.passwords.computed();
    const auto answer = a.refusal("user.factor", args);
    BOOST_TEST(a.passwords.computed() == before);
    return answer;
  };
  a.clock.advance(std::chrono::hours(2));
  const auto ticket =
      a.give("user.authenticate", {{"name", "alice"}, {"password", Password}, {"client", "203.0.113.9"}}).at("ticket");
  const auto none = second({{"ticket", "made up"}, {"totp", "000000"}});
  BOOST_TEST(has(none, "refused:"));
  BOOST_TEST(second({{"ticket", ticket}, {"totp", "000000"}}) == none);
  BOOST_TEST(second({{"ticket", ticket}, {"recoveryCode", "aaaa-bbbb-cccc-dddd"}}) == none);
  BOOST_TEST(second({{"ticket", ticket}, {"assertion", "{}"}}) == none);
  BOOST_TEST(second({{"assertion", "{}"}}) == none);
}

BOOST_AUTO_TEST_SUITE_END()
