// What somebody had written when they had to sign in again.
#include "tests/unit/webadmin/FakeSite.h"
#include "webadmin/Drafts.h"

using namespace postern;
using namespace postern::webadmin;

namespace {

constexpr auto Words = "Was lange zu schreiben war";

struct Writing {
  test::FakeSite fake;
  std::string session = fake.sessions.open("ada", "admin");

  Request written() { return fake.form("/send", session, {{"account", "ada"}, {"text", Words}, {"step", "send"}}); }
  static std::string cookieOf(const Response& response) {
    const auto line = test::headerOf(response, "Set-Cookie", drafts::Cookie);
    const auto begin = line.find('=') + 1;
    return line.empty() ? line : line.substr(begin, line.find(';') - begin);
  }
  Response open(const std::string& account, const std::string& cookie) {
    auto request = fake.request(Method::Get, "/send", fake.sessions.open(account, "admin"));
    request.cookies.add(drafts::Cookie, cookie);
    return fake.site.answer(request);
  }
};

bool shows(const Response& response) {
  return response.body.find(Words) != std::string::npos;
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(webadmin_Drafts, Writing)

BOOST_AUTO_TEST_CASE(what_was_written_waits_for_its_author_alone_and_is_not_sent) {
  const auto request = written();
  fake.sessions.end(session);
  const auto answer = fake.site.answer(request);
  BOOST_TEST(answer.status == 303);
  const auto cookie = cookieOf(answer);
  BOOST_TEST(cookie.size() >= 20u);
  BOOST_TEST(!shows(open("bob", cookie)));
  BOOST_TEST(!shows(open("ada", "another-name-of-a-draft-that-is-none")));
  BOOST_TEST(shows(open("ada", cookie)));
  BOOST_TEST(!shows(open("ada", cookie)));  // once
  BOOST_TEST(!fake.orders.wasGiven("mail.send"));
}

BOOST_AUTO_TEST_CASE(it_waits_also_while_listd_is_away_but_not_for_ever) {
  fake.orders.down = true;
  const auto answer = fake.site.answer(written());
  BOOST_TEST(answer.status == 503);
  fake.orders.down = false;
  fake.clock.advance(KeptForms::Lifetime);
  BOOST_TEST(!shows(open("ada", cookieOf(answer))));
}

BOOST_AUTO_TEST_CASE(another_site_leaves_no_draft_here) {
  auto request = written();
  fake.sessions.end(session);
  request.fetchSite = "cross-site";
  request.origin = "https://evil.example";
  BOOST_TEST(cookieOf(fake.site.answer(request)).empty());
}

BOOST_AUTO_TEST_CASE(an_order_that_fails_costs_nothing_of_what_was_written) {
  for (const auto* code : {"invalid", "refused", "exists", "unavailable", "broken"}) {
    fake.orders.refusals["mail.send"] = {code, "the reason", ""};
    BOOST_TEST(shows(fake.site.answer(written())), code);
  }
}

BOOST_AUTO_TEST_SUITE_END()
