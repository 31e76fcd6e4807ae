#include "listd/people/SessionStore.h"
#include "tests/unit/listd/people/AccountsFixture.h"

#include <set>

using namespace postern;
using namespace postern::test;

BOOST_AUTO_TEST_SUITE(listd_people_SessionStore)

namespace {

struct Store {
  TempFolder folder;
  config::SiteConfig config = siteConfig(folder.path());
  FakeClock clock{TestNow};
  SiteContext context{config, clock};

  template <class Work>
  auto with(Work work) {
    return context.site.write([&](SiteTables& tables) { return work(tables.sessions); });
  }
  SessionStore::Opened open(const std::string& subject, SubjectKind kind = SubjectKind::Account) {
    return with(
        [&](SessionStore& sessions) { return sessions.open(kind, subject, "192.0.2.1", "Firefox", clock.now()); });
  }
  bool inForce(const std::string& secret) {
    return with([&](SessionStore& sessions) { return sessions.find(secret, clock.now()).has_value(); });
  }
  void act(const std::string& ref) {
    with([&](SessionStore& sessions) { sessions.recordAct(ref, clock.now()); });
  }
};

}  // namespace

BOOST_AUTO_TEST_CASE(a_session_knows_its_subject_by_its_secret_alone) {
  Store store;
  const auto opened = store.open("ada");
  const auto found = store.with([&](SessionStore& sessions) { return sessions.find(opened.secret, TestNow); });
  BOOST_REQUIRE(found.has_value());
  BOOST_TEST(found->subject == "ada");
  BOOST_TEST((found->kind == SubjectKind::Account));
  BOOST_TEST(found->ref == opened.ref);
  BOOST_TEST((found->client == "192.0.2.1" && found->agent == "Firefox"));
  BOOST_TEST(toMicros(found->steppedUpAt) == 0);
  for (const auto& wrong : {std::string(), opened.ref, opened.secret.substr(1), opened.secret + "A"})
    BOOST_TEST(!store.inForce(wrong));
  BOOST_TEST(opened.secret.find(opened.ref) == std::string::npos);
  std::set<std::string> secrets;
  for (int i = 0; i < 50; ++i) secrets.insert(store.open("ada").secret);
  BOOST_TEST(secrets.size() == 50u);
}

BOOST_AUTO_TEST_CASE(it_ends_fifteen_minutes_after_the_last_act) {
  Store store;
  const auto opened = store.open("ada");
  store.clock.advance(app::SessionIdleLimit - std::chrono::microseconds(1));
  BOOST_TEST(store.inForce(opened.secret));
  store.act(opened.ref);
  store.clock.advance(app::SessionIdleLimit - std::chrono::microseconds(1));
  BOOST_TEST(store.inForce(opened.secret));
  store.clock.advance(std::chrono::microseconds(1));
  BOOST_TEST(!store.inForce(opened.secret));
}

BOOST_AUTO_TEST_CASE(it_ends_after_twelve_hours_whatever_the_person_does) {
  Store store;
  const auto opened = store.open("ada");
  for (int i = 0; i < 71; ++i) {
    store.clock.advance(std::chrono::minutes(10));
    store.act(opened.ref);
  }
  store.clock.advance(std::chrono::minutes(10) - std::chrono::microseconds(1));
  BOOST_TEST(store.inForce(opened.secret));
  store.clock.advance(std::chrono::microseconds(1));
  BOOST_TEST(!store.inForce(opened.secret));
}

BOOST_AUTO_TEST_CASE(a_clock_that_was_set_back_lengthens_nothing) {
  Store store;
  store.clock.advance(std::chrono::hours(1));
  const auto opened = store.open("ada");
  store.clock.advance(-std::chrono::hours(1));
  BOOST_TEST(!store.inForce(opened.secret));
  store.act(opened.ref);  // nor does an act of before shorten it
  store.clock.advance(std::chrono::hours(1));
  BOOST_TEST(store.inForce(opened.secret));
}

BOOST_AUTO_TEST_CASE(ending_reaches_the_sessions_of_one_subject_and_kind) {
  Store store;
  const auto here = store.open("ada");
  const auto phone = store.open("ada");
  const auto eve = store.open("eve");
  const auto picker = store.open("ada", SubjectKind::Recipient);  // an address that looks like an account
  const auto end = [&](const std::string& subject, const std::string& ref) {
    return store.with([&](SessionStore& sessions) { return sessions.end(SubjectKind::Account, subject, ref); });
  };
  BOOST_TEST(!end("ada", eve.ref));
  BOOST_TEST(!end("ada", picker.ref));
  BOOST_TEST(!end("ada", ""));
  BOOST_TEST(end("ada", phone.ref));
  BOOST_TEST(!end("ada", phone.ref));
  BOOST_TEST((store.inForce(here.secret) && store.inForce(eve.secret) && store.inForce(picker.secret)));
  const auto third = store.open("ada");
  const auto ended =
      store.with([&](SessionStore& sessions) { return sessions.endAll(SubjectKind::Account, "ada", here.ref); });
  BOOST_TEST(ended == 1u);
  BOOST_TEST((store.inForce(here.secret) && !store.inForce(third.secret) && store.inForce(eve.secret)));
  BOOST_TEST(store.with([&](SessionStore& sessions) { return sessions.endAll(SubjectKind::Account, "ada"); }) == 1u);
  BOOST_TEST((!store.inForce(here.secret) && store.inForce(picker.secret)));
  BOOST_TEST(store.with([](SessionStore& s) { return s.all(SubjectKind::Account, TestNow); }).size() == 1u);
  BOOST_TEST(store.with([](SessionStore& s) { return s.of(SubjectKind::Recipient, "ada", TestNow); }).size() == 1u);
}

BOOST_AUTO_TEST_CASE(rows_of_what_has_ended_go) {
  Store store;
  const auto old = store.open("ada");
  store.clock.advance(app::SessionIdleLimit);
  const auto fresh = store.open("ada");
  store.with([&](SessionStore& sessions) { sessions.sweep(store.clock.now()); });
  BOOST_TEST(store.with([](SessionStore& s) { return s.all(SubjectKind::Account, TestNow); }).empty());
  BOOST_TEST(store.inForce(fresh.secret));
  BOOST_TEST(store.with([&](SessionStore& s) { return s.end(SubjectKind::Account, "ada", old.ref); }) == false);
}

BOOST_AUTO_TEST_CASE(who_picks_up_mail_is_no_account_whatever_accounts_there_are) {
  Accounts a;
  a.setUp();
  const auto secret = a.context.site.write([&](SiteTables& tables) {
    return tables.sessions.open(SubjectKind::Recipient, "alice", "c", "", a.clock.now()).secret;
  });
  app::Actor picker{"web", "alice"};
  picker.token = secret;
  for (const auto* order :
       {"list.list", "account.show", "session.list", "session.end", "token.create", "passkey.options"})
    BOOST_TEST(has(a.refusalAs(picker, order), "signed-out:"), order);
  const auto person = a.context.site.read([&](SiteTables& tables) { return personOf(tables, picker, a.clock.now()); });
  BOOST_TEST(person.recipient == "alice");
  BOOST_TEST(person.account.empty());
  BOOST_TEST(person.roles.empty());
}

BOOST_AUTO_TEST_SUITE_END()
