#include "tests/unit/listd/people/AccountsFixture.h"

#include <set>

using namespace postern;
using namespace postern::test;

BOOST_AUTO_TEST_SUITE(listd_people_People)

BOOST_AUTO_TEST_CASE(a_set_up_link_works_once_within_a_day_and_its_token_is_not_kept) {
  Accounts a;
  BOOST_TEST(filesWith(a.folder.path(), a.token).empty());
  const auto made = a.setUp();
  BOOST_TEST(made.at("role") == "admin");
  BOOST_TEST(made.at("codes").size() == 10u);
  BOOST_TEST(filesWith(a.folder.path(), made.at("codes")[0].get<std::string>()).empty());
  BOOST_TEST(has(a.refusal("user.setup-check", {{"token", a.token}}), "refused: this set-up link is used"));
  BOOST_TEST(has(a.refusal("user.setup-link"), "refused: there is an account already"));
  Accounts late;
  late.clock.advance(std::chrono::hours(24));
  BOOST_TEST(has(late.refusal("user.setup-check", {{"token", late.token}}), "refused: this set-up link"));
  Accounts other;
  const auto second = other.give("user.setup-link").at("token").get<std::string>();
  BOOST_TEST(has(other.refusal("user.setup-check", {{"token", other.token}}), "refused"));
  BOOST_TEST(other.refusal("user.setup-check", {{"token", second}}).empty());
}

BOOST_AUTO_TEST_CASE(nobody_makes_what_staff_did_anonymous) {
  Accounts a;
  a.setUp();
  a.join("olga", "officer");
  a.stepUp("olga");
  for (const auto* name : {"olga", "alice", "root"})
    BOOST_TEST(has(a.refusalAs(a.web("olga"), "audit.erase-person", {{"address", name}, {"reason", "hide"}}),
                   "refused: this person has an account"));
}

BOOST_AUTO_TEST_CASE(strangers_who_guess_lock_out_neither_the_person_nor_passkeys_nor_the_emergency) {
  Accounts a;
  a.setUp();
  const auto next = [&] { a.clock.advance(std::chrono::seconds(30)); };
  next();
  BOOST_TEST(a.signIn(Password, a.code()).empty());
  const auto sealed = a.give("break-glass.seal").at("code").get<std::string>();
  const auto attack = [&] {
    for (int i = 0; i < 12; ++i) {
      const auto client = "198.51.100." + std::to_string(i);
      a.signIn("wrong", "000000", client);
      a.refusal("user.factor", {{"assertion", "{}"}, {"client", client}});
      a.refusal("break-glass.open", {{"code", "guess"}, {"reason", "r"}, {"client", client}});
    }
  };
  next();
  attack();
  // From where the person signed in before: as if nothing had happened. From elsewhere it is blocked for a while.
  BOOST_TEST(!a.signIn(Password, a.code(), "203.0.113.7").empty());
  BOOST_TEST(a.signIn(Password, a.code()).empty());
  next();
  attack();
  BOOST_TEST(
      a.refusalAs(a.web("alice", "s9"), "session.step-up", {{"password", Password}, {"totp", a.code()}}).empty());
  BOOST_TEST(a.refusal("break-glass.open", {{"code", sealed}, {"reason", "r"}, {"client", "192.0.2.77"}}).empty());
  next();
  // And guesses inside a session, or from the known client, are counted all the same.
  for (int i = 0; i < 6; ++i)
    a.refusalAs(a.web("alice", "s8"), "session.step-up", {{"password", "wrong"}, {"totp", "000000"}});
  BOOST_TEST(has(a.refusalAs(a.web("alice", "s8"), "session.step-up", {{"password", Password}, {"totp", a.code()}}),
                 "refused"));
}

BOOST_AUTO_TEST_CASE(set_up_refuses_a_short_password_a_wrong_code_and_an_odd_name) {
  Accounts a;
  a.secret = a.secretOf(a.token);
  const auto set = [&](const std::string& name, const std::string& password, const std::string& totp) {
    return a.refusal("user.setup", {{"token", a.token}, {"name", name}, {"password", password}, {"totp", totp}});
  };
  BOOST_TEST(a.give("user.setup-check", {{"token", a.token}}).at("shortestPassword") == 8);
  BOOST_TEST(has(set("alice", "short", a.code()), "too short"));
  BOOST_TEST(has(set("alice", "password1", a.code()), "common"));
  BOOST_TEST(has(set("alice", "alice2026", a.code()), "name of the account"));
  BOOST_TEST(has(set("alice", Password, "000000x"), "code does not match"));
  BOOST_TEST(has(set("Alice B", Password, a.code()), "cannot be the name"));
  BOOST_TEST(set("alice", Password, a.code()).empty());
}

BOOST_AUTO_TEST_CASE(sign_in_needs_password_and_a_fresh_code_and_refuses_with_one_text) {
  Accounts a;
  a.setUp();
  const auto used = a.signIn(Password, a.code());
  BOOST_TEST(has(used, "refused:"), "the code that set the account up is used");
  a.clock.advance(std::chrono::seconds(30));
  BOOST_TEST(a.signIn(Password, a.code()).empty());
  const auto replayed = a.signIn(Password, a.code());
  a.clock.advance(std::chrono::seconds(60));
  const auto wrongPassword = a.signIn("wrong horse battery", a.code());
  const auto wrongCode = a.signIn(Password, "12345");
  const auto wrongName = a.signIn(Password, a.code(), "192.0.2.9", "nobody");
  for (const auto& text : {replayed, wrongPassword, wrongCode, wrongName}) BOOST_TEST(text == used);
  a.clock.advance(std::chrono::minutes(6));
  BOOST_TEST(a.signIn(Password, a.code()).empty());
  BOOST_TEST(filesWith(a.folder.path(), crypto::base32(a.secret.view())).empty());
  BOOST_TEST(filesWith(a.folder.path(), std::string(a.secret.view())).empty());
  BOOST_TEST(filesWith(a.folder.path(), Password).empty());
}

BOOST_AUTO_TEST_CASE(guessing_is_throttled_per_account_also_over_many_clients_and_ends_by_itself) {
  Accounts a;
  a.setUp();
  for (int i = 0; i < 5; ++i) a.signIn("wrong", "000000", "192.0.2." + std::to_string(i));
  a.clock.advance(std::chrono::seconds(5));
  BOOST_TEST(!a.signIn(Password, crypto::totpCode(a.secret, a.clock.now() + std::chrono::seconds(30)), "198.51.100.1")
                  .empty());
  a.clock.advance(std::chrono::minutes(5));
  BOOST_TEST(a.signIn(Password, a.code(), "198.51.100.1").empty());
}

BOOST_AUTO_TEST_CASE(guessing_the_second_factor_with_a_good_ticket_is_throttled_too) {
  Accounts a;
  a.setUp();
  a.clock.advance(std::chrono::seconds(30));
  const json first{{"name", "alice"}, {"password", Password}, {"client", "192.0.2.9"}};
  const auto ticket = a.give("user.authenticate", first).at("ticket");
  for (int i = 0; i < 6; ++i)
    BOOST_TEST(has(
        a.refusal("user.factor", {{"ticket", ticket}, {"totp", "00000" + std::to_string(i)}, {"client", "192.0.2.9"}}),
        "refused:"));
  BOOST_TEST(
      has(a.refusal("user.factor", {{"ticket", ticket}, {"totp", a.code()}, {"client", "192.0.2.9"}}), "refused:"));
}

BOOST_AUTO_TEST_CASE(guessing_is_throttled_per_client_over_many_accounts) {
  Accounts a;
  a.setUp();
  for (int i = 0; i < 20; ++i) a.signIn("wrong", "000000", "192.0.2.66", "user" + std::to_string(i));
  a.clock.advance(std::chrono::seconds(5));
  const auto fresh = crypto::totpCode(a.secret, a.clock.now() + std::chrono::seconds(30));
  BOOST_TEST(!a.signIn(Password, fresh, "192.0.2.66").empty());
  BOOST_TEST(a.signIn(Password, fresh, "192.0.2.67").empty());
}

BOOST_AUTO_TEST_CASE(a_ticket_is_bound_to_its_client_works_once_and_ends_after_five_minutes) {
  Accounts a;
  a.setUp();
  a.clock.advance(std::chrono::seconds(30));
  const auto ticketFor = [&](const char* client) {
    return a.give("user.authenticate", {{"name", "alice"}, {"password", Password}, {"client", client}}).at("ticket");
  };
  const auto factor = [&](const json& ticket, const char* client) {
    return a.refusal("user.factor", {{"ticket", ticket}, {"totp", a.code()}, {"client", client}});
  };
  const auto ticket = ticketFor("192.0.2.1");
  BOOST_TEST(has(factor(ticket, "192.0.2.2"), "refused:"));
  BOOST_TEST(factor(ticket, "192.0.2.1").empty());
  a.clock.advance(std::chrono::seconds(60));
  BOOST_TEST(has(factor(ticket, "192.0.2.1"), "refused:"));
  const auto old = ticketFor("192.0.2.1");
  a.clock.advance(std::chrono::minutes(5));
  BOOST_TEST(has(factor(old, "192.0.2.1"), "refused:"));
}

BOOST_AUTO_TEST_CASE(a_recovery_code_signs_in_once_however_it_is_typed) {
  Accounts a;
  const auto codes = a.setUp().at("codes");
  const auto use = [&](const std::string& code) {
    const auto ticket =
        a.give("user.authenticate", {{"name", "alice"}, {"password", Password}, {"client", "c"}}).at("ticket");
    return a.refusal("user.factor", {{"ticket", ticket}, {"recoveryCode", code}, {"client", "c"}});
  };
  auto typed = codes[3].get<std::string>();
  std::erase(typed, '-');
  std::transform(typed.begin(), typed.end(), typed.begin(),
                 [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; });
  BOOST_TEST(use(typed).empty());
  BOOST_TEST(has(use(codes[3]), "refused:"));
  BOOST_TEST(use(codes[4]).empty());
  BOOST_TEST(a.give("account.show", {{"name", "alice"}}).at("recoveryCodesLeft") == 8);
}

BOOST_AUTO_TEST_CASE(an_invitation_lasts_seven_days_works_once_and_gives_its_roles) {
  Accounts a;
  a.setUp();
  const auto invited = a.give("account.invite", {{"name", "olga"}, {"roles", json::array({"officer", "custodian"})}});
  const auto link = invited.at("token").get<std::string>();
  BOOST_TEST(has(a.refusal("user.authenticate", {{"name", "olga"}, {"password", ""}, {"client", "c"}}), "refused:"));
  BOOST_TEST(has(a.refusalAs(Accounts::web("olga"), "account.show"), "signed-out"));
  a.secrets["olga"] = a.secretOf(link);
  const auto made =
      a.give("user.setup", {{"token", link}, {"name", "eve"}, {"password", Password}, {"totp", a.codeOf("olga")}});
  BOOST_TEST(made.at("name") == "olga");
  BOOST_TEST(made.at("roles") == json::array({"officer", "custodian"}));
  BOOST_TEST(has(a.refusal("user.setup-check", {{"token", link}}), "refused"));
  const auto late = a.give("account.invite", {{"name", "pia"}, {"roles", "approver"}}).at("token");
  a.clock.advance(std::chrono::hours(24 * 7));
  BOOST_TEST(has(a.refusal("user.setup-check", {{"token", late}}), "refused"));
}

BOOST_AUTO_TEST_CASE(admin_is_never_officer_or_auditor_but_for_the_only_person_of_a_site) {
  Accounts a;
  a.setUp();
  BOOST_TEST(has(a.refusal("account.invite", {{"name", "x"}, {"roles", "admin,officer"}}), "may not be one person"));
  BOOST_TEST(has(a.refusal("account.invite", {{"name", "x"}, {"roles", "admin,auditor"}}), "may not be one person"));
  const json all{{"name", "alice"}, {"roles", "admin,officer,auditor,custodian"}};
  BOOST_TEST(a.refusal("account.set", all).empty());
  BOOST_TEST(has(a.refusal("account.invite", {{"name", "olga"}, {"roles", "officer"}}), "alice has both"));
  a.give("account.invite", {{"name", "wim"}, {"roles", "owner"}});  // runs no part of the site
  a.give("account.set", {{"name", "alice"}, {"roles", "admin"}});
  const auto link = a.give("account.invite", {{"name", "olga"}, {"roles", "officer"}}).at("token");
  // Between invitation and set-up the first person took both again: the second is not let in before the split.
  a.give("account.set", all);
  a.secrets["olga"] = a.secretOf(link);
  const json second{{"token", link}, {"password", Password}, {"totp", a.codeOf("olga")}};
  BOOST_TEST(has(a.refusal("user.setup", second), "alice has both"));
  a.give("account.set", {{"name", "alice"}, {"roles", "admin"}});
  BOOST_TEST(a.refusal("user.setup", second).empty());
  BOOST_TEST(has(a.refusal("account.set", all), "alice has both"));
}

BOOST_AUTO_TEST_CASE(the_last_admin_stays) {
  Accounts a;
  a.setUp();
  a.join("hans", "helpdesk");
  BOOST_TEST(has(a.refusal("account.set", {{"name", "alice"}, {"state", "disabled"}}), "nobody would be left"));
  BOOST_TEST(has(a.refusal("account.set", {{"name", "alice"}, {"roles", "helpdesk"}}), "nobody would be left"));
}

BOOST_AUTO_TEST_CASE(a_disabled_account_has_no_tokens_links_or_orders_from_that_moment) {
  Accounts a;
  a.setUp();
  a.join("hans", "helpdesk");
  a.join("olga", "officer");
  a.stepUp("hans");
  const auto token =
      a.giveAs(Accounts::web("hans"), "token.create", {{"name", "x"}, {"scopes", "key:read"}}).at("token");
  const app::Actor api{"api", "", token.get<std::string>()};
  BOOST_TEST(a.refusalAs(api, "key.list").empty());
  const auto link = a.give("account.recover", {{"name", "hans"}}).at("token");
  a.give("account.set", {{"name", "hans"}, {"state", "disabled"}});
  BOOST_TEST(has(a.refusalAs(api, "key.list"), "signed-out"));
  BOOST_TEST(has(a.refusalAs(Accounts::web("hans"), "key.list"), "signed-out"));
  BOOST_TEST(has(a.refusal("user.setup-check", {{"token", link}}), "refused"));
  a.give("account.set", {{"name", "hans"}, {"state", "enabled"}});
  BOOST_TEST(has(a.refusalAs(api, "key.list"), "signed-out"));
}

BOOST_AUTO_TEST_CASE(recovery_by_an_admin_replaces_password_and_factors_and_shows_neither) {
  Accounts a;
  a.setUp();
  a.join("hans", "helpdesk");
  const auto old = a.secrets.at("hans");
  const auto answer = a.give("account.recover", {{"name", "hans"}});
  BOOST_TEST(!answer.contains("password"));
  a.clock.advance(std::chrono::seconds(30));
  BOOST_TEST(a.signIn(Password, a.codeOf("hans"), "c", "hans").empty());  // until the link is used, nothing changes
  const auto link = answer.at("token").get<std::string>();
  a.secrets["hans"] = a.secretOf(link);
  a.give("user.setup", {{"token", link}, {"password", "another good sentence"}, {"totp", a.codeOf("hans")}});
  a.clock.advance(std::chrono::seconds(60));
  BOOST_TEST(has(a.signIn("another good sentence", crypto::totpCode(old, a.clock.now()), "c", "hans"), "refused"));
  BOOST_TEST(has(a.signIn(Password, a.codeOf("hans"), "c", "hans"), "refused"));
  BOOST_TEST(a.signIn("another good sentence", a.codeOf("hans"), "c", "hans").empty());
}

BOOST_AUTO_TEST_CASE(destructive_orders_need_a_step_up_in_the_same_session_within_five_minutes) {
  Accounts a;
  a.setUp();
  a.secrets["alice"] = a.secret;
  const json invite{{"name", "x"}, {"roles", "helpdesk"}};
  BOOST_TEST(has(a.refusalAs(Accounts::web("alice"), "account.invite", invite), "step-up:"));
  a.stepUp("alice");
  BOOST_TEST(has(a.refusalAs(Accounts::web("alice", "s2"), "account.invite", invite), "step-up:"));
  BOOST_TEST(a.refusalAs(Accounts::web("alice"), "account.invite", invite).empty());
  a.clock.advance(std::chrono::minutes(5));
  BOOST_TEST(has(a.refusalAs(Accounts::web("alice"), "account.recover", {{"name", "x"}}), "step-up:"));
  a.clock.advance(-std::chrono::minutes(20));  // a clock that was set back lengthens nothing
  BOOST_TEST(has(a.refusalAs(Accounts::web("alice"), "account.recover", {{"name", "x"}}), "step-up:"));
}

BOOST_AUTO_TEST_CASE(there_is_always_a_second_way_in) {
  Accounts a;
  a.setUp();
  a.secrets["alice"] = a.secret;
  a.stepUp("alice");
  const auto own = a.giveAs(Accounts::web("alice"), "account.show");
  const auto id = own.at("factors")[0].at("id");
  BOOST_TEST(has(a.refusalAs(Accounts::web("alice"), "factor.remove", {{"id", id}}), "last factor"));
  const auto offer = a.giveAs(Accounts::web("alice"), "totp.options");
  const Secret second(crypto::fromBase32(offer.at("secret").get<std::string>()).value());
  const json add{{"offer", offer.at("offer")}, {"totp", crypto::totpCode(second, a.clock.now())}, {"name", "Tablet"}};
  BOOST_TEST(has(a.refusalAs(Accounts::web("alice", "s2"), "totp.add", add), "step-up"));
  BOOST_TEST(a.giveAs(Accounts::web("alice"), "totp.add", add).at("factors").size() == 2u);
  BOOST_TEST(a.refusalAs(Accounts::web("alice"), "factor.remove", {{"id", id}}).empty());
}

BOOST_AUTO_TEST_CASE(a_token_acts_as_its_person_within_its_scopes_until_it_ends) {
  Accounts a;
  a.setUp();
  a.board();
  a.secrets["alice"] = a.secret;
  BOOST_TEST(
      has(a.refusalAs(Accounts::web("alice"), "token.create", {{"name", "ci"}, {"scopes", "list:read"}}), "step-up:"));
  a.stepUp("alice");
  const auto make = [&](const std::string& scopes, int days) {
    return a.giveAs(Accounts::web("alice"), "token.create", {{"name", "ci"}, {"scopes", scopes}, {"days", days}});
  };
  const auto made = make("list:read member:write", 30);
  const auto secret = made.at("token").get<std::string>();
  BOOST_TEST(filesWith(a.folder.path(), secret).empty());
  const app::Actor api{"api", "whoever", secret};
  BOOST_TEST(a.refusalAs(api, "list.list").empty());
  BOOST_TEST(a.refusalAs(api, "member.list", {{"list", "board@lists.example"}}).empty());
  BOOST_TEST(a.refusalAs(api, "member.add", {{"list", "board@lists.example"}, {"address", "a@b.example"}}).empty());
  BOOST_TEST(has(a.refusalAs(api, "list.create", {{"address", "x@lists.example"}}), "denied:"));
  BOOST_TEST(has(a.refusalAs(api, "status"), "denied:"));
  BOOST_TEST(has(a.refusalAs(api, "token.create", {{"name", "y"}, {"scopes", "list:read"}}), "denied:"));
  BOOST_TEST(has(a.refusalAs(Accounts::web("alice"), "token.create", {{"name", "y"}, {"scopes", "lists:read"}}),
                 "not a scope"));
  const auto used = [&] { return a.giveAs(Accounts::web("alice"), "token.list").at("items")[0].at("lastUsedAt"); };
  const auto first = used();
  BOOST_TEST(first == toMicros(a.clock.now()));
  a.clock.advance(std::chrono::seconds(59));
  a.giveAs(api, "list.list");
  BOOST_TEST(used() == first, "noted once a minute");
  a.clock.advance(std::chrono::seconds(1));
  a.giveAs(api, "list.list");
  BOOST_TEST(used() == toMicros(a.clock.now()));
  a.clock.advance(std::chrono::days(30));
  BOOST_TEST(has(a.refusalAs(api, "list.list"), "signed-out:"));
  a.stepUp("alice");
  const auto second = make("list:read", 30);
  a.giveAs(Accounts::web("alice"), "token.revoke", {{"id", second.at("id")}});
  BOOST_TEST(has(a.refusalAs({"api", "", second.at("token").get<std::string>()}, "list.list"), "signed-out:"));
}

BOOST_AUTO_TEST_CASE(an_owner_touches_own_lists_only) {
  Accounts a;
  a.setUp();
  a.board();
  a.give("list.create", {{"address", "other@lists.example"}});
  a.join("wim", "owner", "board@lists.example");
  const auto wim = Accounts::web("wim");
  const json mine{{"list", "Board@lists.example"}, {"address", "ann@example.org"}};
  const json theirs{{"list", "other@lists.example"}, {"address", "ann@example.org"}};
  BOOST_TEST(a.refusalAs(wim, "member.add", mine).empty());
  for (const char* order :
       {"member.add", "member.remove", "member.list", "member.set", "member.import", "member.export"})
    BOOST_TEST(has(a.refusalAs(wim, order, theirs), "denied: this is not one of your lists"), order);
  BOOST_TEST(a.refusalAs(wim, "list.show", {{"address", "board@lists.example"}}).empty());
  for (const char* order : {"list.show", "list.set", "list.readiness"})
    BOOST_TEST(has(a.refusalAs(wim, order, {{"address", "other@lists.example"}}), "denied:"), order);
  for (const char* order : {"list.create", "list.close", "domain.add", "key.import", "status", "account.list"})
    BOOST_TEST(has(a.refusalAs(wim, order, mine), "denied:"), order);
  const auto lists = a.giveAs(wim, "list.list").at("items");
  BOOST_REQUIRE_EQUAL(lists.size(), 1u);
  BOOST_TEST(lists[0].at("address") == "board@lists.example");
  BOOST_TEST(has(a.refusalAs(wim, "post.list"), "denied:"));
  BOOST_TEST(has(a.refusalAs(wim, "post.list", {{"list", "other@lists.example"}}), "denied:"));
  BOOST_TEST(a.refusalAs(wim, "post.list", {{"list", "board@lists.example"}}).empty());
  // The list moves on to another owner: what was his is his no more at once.
  a.give("account.set", {{"name", "wim"}, {"lists", ""}});
  BOOST_TEST(has(a.refusalAs(wim, "member.list", mine), "denied:"));
}

BOOST_AUTO_TEST_CASE(what_the_wire_says_of_roles_is_not_believed) {
  Accounts a;
  a.setUp();
  auto eve = Accounts::web("nobody");
  eve.roles = app::Role::Admin;
  BOOST_TEST(has(a.refusalAs(eve, "list.list"), "signed-out:"));
  BOOST_TEST(has(a.refusalAs({"system", "webadmin"}, "list.list"), "signed-out:"));
  BOOST_TEST(has(a.refusalAs({"root", "root"}, "list.list"), "signed-out:"));
  BOOST_TEST(has(a.refusalAs({"api", "alice", "ptn_guess"}, "list.list"), "signed-out:"));
}

BOOST_AUTO_TEST_CASE(denied_orders_are_on_record) {
  Accounts a;
  a.setUp();
  a.join("hans", "helpdesk");
  const auto before = a.entries().size();
  a.refusalAs(Accounts::web("hans"), "account.list");
  BOOST_TEST(a.entries().size() == before + 1);
  BOOST_TEST(a.entries().front() == "hans account.list  denied denied");
}

BOOST_AUTO_TEST_CASE(a_sealed_account_opens_once_for_four_hours_and_waits_for_a_review) {
  Accounts a;
  a.setUp();
  a.join("ute", "auditor");
  const auto sealed = a.give("break-glass.seal");
  const auto code = sealed.at("code").get<std::string>();
  const auto account = sealed.at("account").get<std::string>();
  BOOST_TEST(code.size() >= 48u);
  BOOST_TEST(filesWith(a.folder.path(), code).empty());
  BOOST_TEST(has(a.refusalAs(Accounts::web(account), "list.list"), "signed-out:"));
  BOOST_TEST(has(a.refusal("break-glass.open", {{"code", "wrong"}, {"reason", "fire"}, {"client", "c"}}), "refused:"));
  BOOST_TEST(has(a.refusal("break-glass.open", {{"code", code}, {"client", "c"}}), "\"reason\" is missing"));
  const json open{{"code", code}, {"reason", "fire"}, {"client", "c"}};
  BOOST_TEST(a.give("break-glass.open", open).at("name") == account);
  BOOST_TEST(has(a.refusal("break-glass.open", open), "refused:"));
  BOOST_TEST(a.refusalAs(Accounts::web(account), "list.list").empty());
  BOOST_TEST(has(a.refusalAs(Accounts::web(account), "break-glass.review", {{"id", sealed.at("id")}, {"words", "ok"}}),
                 "denied:"));
  BOOST_TEST(
      a.refusalAs(Accounts::web("ute"), "break-glass.review", {{"id", sealed.at("id")}, {"words", "ok"}}).empty());
  a.clock.advance(std::chrono::hours(4));
  BOOST_TEST(has(a.refusalAs(Accounts::web(account), "list.list"), "signed-out:"));
}

BOOST_AUTO_TEST_CASE(access_is_signed_for_as_it_was_looked_at) {
  Accounts a;
  a.setUp();
  a.join("ute", "auditor");
  a.join("petra", "approver");
  const auto shown = a.giveAs(Accounts::web("ute"), "access.review");
  BOOST_TEST(shown.at("due") == true);
  json sign{{"digest", shown.at("digest")}, {"words", "looked through"}};
  BOOST_TEST(has(a.refusalAs(Accounts::web("ute"), "access.sign-off", sign), "denied:"));
  a.join("hans", "helpdesk");
  BOOST_TEST(has(a.refusalAs(Accounts::web("petra"), "access.sign-off", sign), "changed since"));
  sign["digest"] = a.giveAs(Accounts::web("petra"), "access.review").at("digest");
  BOOST_TEST(a.refusalAs(Accounts::web("petra"), "access.sign-off", sign).empty());
  BOOST_TEST(a.giveAs(Accounts::web("ute"), "access.review").at("due") == false);
  a.clock.advance(std::chrono::days(91));
  BOOST_TEST(a.giveAs(Accounts::web("ute"), "access.review").at("due") == true);
}

BOOST_AUTO_TEST_SUITE_END()
