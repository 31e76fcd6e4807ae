#include "tests/unit/webadmin/FakeSite.h"
#include "webadmin/Accounts.h"

using namespace postern;
using namespace postern::webadmin;
using test::headerOf;

BOOST_AUTO_TEST_SUITE(webadmin_accounts)

BOOST_AUTO_TEST_CASE(listd_is_asked_once_a_minute_for_each_account) {
  test::FakeSite fake;
  const auto session = fake.sessions.open("ada", "admin", "");
  const auto asked = [&] {
    return std::count_if(fake.orders.given.begin(), fake.orders.given.end(),
                         [](const auto& one) { return one.order == "user.show"; });
  };
  for (int i = 0; i < 3; ++i) BOOST_TEST(fake.get("/queue", session).status == 200);
  BOOST_TEST(asked() == 1);
  fake.clock.advance(std::chrono::seconds(59));
  BOOST_TEST(fake.get("/queue", session).status == 200);
  BOOST_TEST(asked() == 1);
  fake.clock.advance(std::chrono::seconds(1));
  BOOST_TEST(fake.get("/queue", session).status == 200);
  BOOST_TEST(asked() == 2);
}

BOOST_AUTO_TEST_CASE(an_account_that_was_removed_loses_all_its_sessions_within_a_minute) {
  test::FakeSite fake;
  const auto here = fake.sessions.open("ada", "admin", "");
  const auto there = fake.sessions.open("ada", "admin", "");
  const auto other = fake.sessions.open("bob", "admin", "");
  BOOST_TEST(fake.get("/queue", here).status == 200);
  fake.orders.refusals["user.show"] = {"not-found", "there is no account ada", ""};
  fake.clock.advance(Accounts::AskEvery);
  const auto response = fake.get("/queue", here);
  BOOST_TEST(response.status == 303);
  BOOST_TEST(headerOf(response, "Location").starts_with("/sign-in"));
  BOOST_TEST(!fake.sessions.find(here, SessionStore::Touch::No).has_value());
  BOOST_TEST(!fake.sessions.find(there, SessionStore::Touch::No).has_value());
  BOOST_TEST(fake.sessions.find(other, SessionStore::Touch::No).has_value());
  BOOST_TEST(fake.get("/live/flow", there).status == 401);
}

BOOST_AUTO_TEST_CASE(an_account_that_lost_its_role_is_refused_within_a_minute) {
  test::FakeSite fake;
  const auto session = fake.sessions.open("ada", "admin", "");
  BOOST_TEST(fake.get("/queue", session).status == 200);
  fake.orders.answers["user.show"] = {{"name", "ada"}, {"role", "auditor"}};
  fake.clock.advance(Accounts::AskEvery);
  BOOST_TEST(fake.site.answer(fake.form("/new-list", session)).status == 403);
  BOOST_TEST(!fake.orders.wasGiven("list.create"));
}

BOOST_AUTO_TEST_CASE(nothing_is_allowed_while_listd_cannot_say_but_signing_out_is) {
  test::FakeSite fake;
  const auto session = fake.sessions.open("ada", "admin", "");
  fake.orders.down = true;
  BOOST_TEST(fake.get("/queue", session).status == 503);
  BOOST_TEST(fake.site.answer(fake.form("/sign-out", session)).status == 303);
  BOOST_TEST(!fake.sessions.find(session, SessionStore::Touch::No).has_value());
}

BOOST_AUTO_TEST_SUITE_END()
