#include "core/base/Log.h"
#include "tests/unit/webadmin/FakeSite.h"
#include "webadmin/Embedded.h"
#include "webadmin/Template.h"

#include <iostream>
#include <sstream>

using namespace postern;
using namespace postern::webadmin;
using test::headerOf;

BOOST_AUTO_TEST_SUITE(webadmin_site)

namespace {

// The browser's part of the sign-in form: the form cookie, then its token.
Request signInRequest(test::FakeSite& fake, const std::string& password, const std::string& oldSession = "") {
  const std::string formCookie(43, 'f');
  auto request = fake.request(Method::Post, "/sign-in");
  request.cookies.add(FormCookie, formCookie);
  if (!oldSession.empty()) request.cookies.add(SessionCookie, oldSession);
  request.form.add("csrf", csrf::token(formCookie));
  request.form.add("name", "ada");
  request.form.add("password", password);
  request.form.add("code", "123456");
  return request;
}

std::string tokenIn(const Response& response) {
  const auto cookie = headerOf(response, "Set-Cookie", SessionCookie);
  const auto start = cookie.find('=') + 1;
  return cookie.substr(start, cookie.find(';') - start);
}

}  // namespace

BOOST_AUTO_TEST_CASE(sign_in_makes_a_new_token_in_a_guarded_cookie) {
  test::FakeSite fake;
  fake.orders.answers["user.factor"] = {{"name", "ada"}, {"role", "admin"}};
  auto request = signInRequest(fake, "right", std::string(43, 'p'));
  request.path = "/sign-in/factor";
  request.form.add("ticket", "a ticket");
  const auto response = fake.site.answer(request);
  BOOST_TEST(fake.orders.given.back().args["session"] == SessionStore::refOf(tokenIn(response)));
  BOOST_TEST(response.status == 303);
  const auto cookie = headerOf(response, "Set-Cookie", SessionCookie);
  for (const auto* guard : {"; Path=/", "; Secure", "; HttpOnly", "; SameSite=Strict"})
    BOOST_TEST(cookie.find(guard) != std::string::npos);
  BOOST_TEST(cookie.find("Domain") == std::string::npos);
  BOOST_TEST(tokenIn(response) != std::string(43, 'p'));
  BOOST_TEST(fake.sessions.find(tokenIn(response), SessionStore::Touch::No).has_value());
}

BOOST_AUTO_TEST_CASE(the_password_alone_opens_no_session) {
  test::FakeSite fake;
  fake.orders.answers["user.authenticate"] = {{"ticket", "t"}, {"factors", {"totp"}}};
  const auto response = fake.site.answer(signInRequest(fake, "right"));
  BOOST_TEST(response.status == 200);
  BOOST_TEST(headerOf(response, "Set-Cookie", SessionCookie).empty());
  BOOST_TEST(response.body.find("Code from your authenticator app") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(an_order_that_needs_a_step_up_asks_for_it_and_keeps_what_was_sent) {
  test::FakeSite fake;
  fake.orders.refusals["account.invite"] = {"step-up", "this needs you to prove again that it is you", ""};
  const auto session = fake.sessions.open("ada", "admin", "");
  const auto asked = fake.site.answer(fake.form("/people", session, {{"name", "olga"}, {"role-officer", "1"}}));
  BOOST_TEST(asked.status == 403);
  BOOST_TEST(asked.body.find("name=\"draft.name\" value=\"olga\"") != std::string::npos);
  const auto proven = fake.site.answer(fake.form(
      "/step-up", session, {{"path", "/people"}, {"step-password", "pw"}, {"step-code", "1"}, {"draft.name", "olga"}}));
  BOOST_TEST(fake.orders.given.back().order == "session.step-up");
  BOOST_TEST(fake.orders.given.back().actor.session == SessionStore::refOf(session));
  BOOST_TEST(proven.status == 200);
  BOOST_TEST(proven.body.find("action=\"/people\"") != std::string::npos);
  BOOST_TEST(proven.body.find("name=\"name\" value=\"olga\"") != std::string::npos);
  const auto away = fake.site.answer(fake.form("/step-up", session, {{"path", "//evil.example"}}));
  BOOST_TEST(headerOf(away, "Location") == "/account?done=stepped-up");
}

BOOST_AUTO_TEST_CASE(people_end_their_own_sessions_and_no_others) {
  test::FakeSite fake;
  const auto here = fake.sessions.open("ada", "admin", "", "Firefox on Linux");
  const auto phone = fake.sessions.open("ada", "admin", "");
  const auto eve = fake.sessions.open("eve", "admin", "");
  const auto alive = [&](const std::string& token) {
    return fake.sessions.find(token, SessionStore::Touch::No).has_value();
  };
  fake.site.answer(fake.form("/account/session", here, {{"ref", SessionStore::refOf(eve)}}));
  BOOST_TEST(alive(eve));
  fake.site.answer(fake.form("/account/session", here, {{"ref", SessionStore::refOf(phone)}}));
  BOOST_TEST(!alive(phone));
  BOOST_TEST(alive(here));
  BOOST_TEST(!fake.sessions.find(SessionStore::refOf(here), SessionStore::Touch::No).has_value());
}

BOOST_AUTO_TEST_CASE(a_person_who_is_disabled_is_out_at_once) {
  test::FakeSite fake;
  const auto admin = fake.sessions.open("ada", "admin", "");
  const auto olaf = fake.sessions.open("olaf", "helpdesk", "");
  fake.site.answer(fake.form("/people/olaf", admin, {{"state", "disabled"}}));
  BOOST_TEST(!fake.sessions.find(olaf, SessionStore::Touch::No).has_value());
}

BOOST_AUTO_TEST_CASE(a_refused_sign_in_opens_no_session_and_echoes_no_password) {
  test::FakeSite fake;
  fake.orders.refusals["user.authenticate"] = {"refused", "Name, password or code is not right.", ""};
  const auto response = fake.site.answer(signInRequest(fake, "s3cret-guess"));
  BOOST_TEST(response.status == 401);
  BOOST_TEST(headerOf(response, "Set-Cookie", SessionCookie).empty());
  BOOST_TEST(response.body.find("s3cret-guess") == std::string::npos);
  BOOST_TEST(response.body.find("Name, password or code is not right.") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_client_that_guesses_is_not_asked_about_any_more_until_the_window_has_passed) {
  test::FakeSite fake;
  fake.orders.refusals["user.authenticate"] = {"refused", "no", ""};
  for (int i = 0; i < 3; ++i) BOOST_TEST(fake.site.answer(signInRequest(fake, "guess")).status == 401);
  const auto asked = fake.orders.given.size();
  BOOST_TEST(fake.site.answer(signInRequest(fake, "guess")).status == 429);
  BOOST_TEST(fake.orders.given.size() == asked);
  fake.clock.advance(std::chrono::minutes(5));
  BOOST_TEST(fake.site.answer(signInRequest(fake, "guess")).status == 401);
}

BOOST_AUTO_TEST_CASE(the_script_of_the_dashboard_does_not_keep_a_session_alive) {
  test::FakeSite fake;
  const auto session = fake.sessions.open("ada", "admin", "");
  for (int i = 0; i < 14; ++i) {
    fake.clock.advance(std::chrono::minutes(1));
    BOOST_TEST(fake.get("/live/flow", session).status == 200);
  }
  fake.clock.advance(std::chrono::minutes(1));
  BOOST_TEST(fake.get("/live/flow", session).status == 401);
}

BOOST_AUTO_TEST_CASE(a_person_can_extend_the_session) {
  test::FakeSite fake;
  const auto session = fake.sessions.open("ada", "admin", "");
  fake.clock.advance(std::chrono::minutes(14));
  BOOST_TEST(fake.get("/live/session", session).status == 200);
  fake.clock.advance(std::chrono::minutes(14));
  BOOST_TEST(fake.get("/live/flow", session).status == 200);
}

BOOST_AUTO_TEST_CASE(a_listd_that_does_not_answer_is_503_with_what_to_do) {
  test::FakeSite fake;
  const auto session = fake.sessions.open("ada", "admin", "");
  fake.orders.down = true;
  const auto response = fake.get("/lists", session);
  BOOST_TEST(response.status == 503);
  BOOST_TEST(response.body.find("postern status") != std::string::npos);
  BOOST_TEST(fake.get("/healthz").status == 503);
  fake.orders.down = false;
  BOOST_TEST(fake.get("/healthz").status == 200);
}

BOOST_AUTO_TEST_CASE(an_odd_answer_leaves_gaps_and_a_broken_order_never_shows_its_cause) {
  test::FakeSite fake;
  const auto session = fake.sessions.open("ada", "admin", "");
  fake.orders.answers["list.list"] = {{"items", {{{"address", nlohmann::json::array({1, 2})}}, 17, nullptr}}};
  BOOST_TEST(fake.get("/lists", session).status == 200);
  fake.orders.answers["list.list"] = nlohmann::json("text");
  BOOST_TEST(fake.get("/lists", session).status == 200);
  fake.orders.refusals["list.list"] = {"broken", "cannot write /data/listd/site.db", "see the log of listd"};
  const auto broken = fake.get("/lists", session);
  BOOST_TEST(broken.status == 500);
  BOOST_TEST(broken.body.find("site.db") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(the_log_names_pages_and_never_members) {
  test::FakeSite fake;
  const auto session = fake.sessions.open("ada", "admin", "192.0.2.1");
  const std::string member = "/lists/board%40lists.example/members/ann%40example.org";
  std::ostringstream caught;
  log::open("test", "info");
  auto* const before = std::cerr.rdbuf(caught.rdbuf());
  auto forged = fake.form(member + "/state", session);
  forged.origin = "https://evil.example";
  const auto refused = fake.site.answer(forged).status;
  fake.orders.refusals["list.show"] = {"broken", "cause", ""};
  fake.orders.refusals["member.list"] = {"broken", "cause", ""};
  const auto broken = fake.get(member, session).status;
  fake.orders.down = true;
  const auto down = fake.get(member, session).status;
  std::cerr.rdbuf(before);
  BOOST_TEST(refused == 403);
  BOOST_TEST(broken == 500);
  BOOST_TEST(down == 503);
  BOOST_TEST(caught.str().find("/lists/{list}/members/{member}") != std::string::npos, caught.str());
  BOOST_TEST(caught.str().find("ann") == std::string::npos, caught.str());
}

BOOST_AUTO_TEST_CASE(what_mail_and_people_wrote_is_escaped) {
  test::FakeSite fake;
  const auto session = fake.sessions.open("ada", "admin", "");
  const std::string evil = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>";
  fake.orders.answers["trace"] = {
      {"post", {{"id", evil}, {"list", evil}, {"messageId", evil}, {"client", {{"name", evil}, {"address", evil}}}}},
      {"recipients",
       {{{"address", evil},
         {"reason", evil},
         {"protection", evil},
         {"state", evil},
         {"attempts",
          {{{"outcome", evil},
            {"remoteHost", evil},
            {"replyText", evil},
            {"tls", {{"version", evil}, {"peerName", evil}}}}}}}}}};
  fake.orders.answers["list.show"] = {{"address", evil}, {"description", evil}};
  fake.orders.answers["list.list"] = {{"items", {{{"address", evil}, {"description", evil}}}}};
  fake.orders.answers["member.list"] = {{"items", {{{"address", evil}, {"name", evil}, {"reason", evil}}}},
                                        {"total", 1}};
  fake.orders.answers["queue.list"] = {{"items", {{{"id", evil}, {"recipient", evil}, {"lastReply", evil}}}}};
  for (const auto* path : {"/posts/1", "/lists", "/lists/x", "/lists/x/members", "/queue"}) {
    const auto response = fake.get(path, session);
    BOOST_TEST_CONTEXT(path) {
      BOOST_TEST(response.status == 200);
      BOOST_TEST(response.body.find("<script>alert") == std::string::npos);
      BOOST_TEST(response.body.find("<img src=x") == std::string::npos);
      BOOST_TEST(response.body.find("&lt;script&gt;") != std::string::npos);
    }
  }
}

BOOST_AUTO_TEST_CASE(plaintext_that_listd_does_not_report_is_never_shown_as_zero) {
  test::FakeSite fake;
  const auto session = fake.sessions.open("ada", "admin", "");
  BOOST_TEST(fake.get("/", session).body.find("not reported") != std::string::npos);
  fake.orders.answers["status"] = {{"plaintextOnSecure", 0}};
  BOOST_TEST(fake.get("/", session).body.find("must read 0<") != std::string::npos);
  BOOST_TEST(fake.get("/", session).body.find("not reported") == std::string::npos);
  fake.orders.answers["status"] = {{"plaintextOnSecure", 1}};
  BOOST_TEST(fake.get("/", session).body.find("treat this as an incident") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(finished_html_is_placed_by_the_layout_alone) {
  for (const auto& file : embedded::all()) {
    if (!file.path.starts_with("templates/")) continue;
    const bool unescaped =
        file.content.find("{{{") != std::string_view::npos || file.content.find("{{&") != std::string_view::npos;
    BOOST_TEST_CONTEXT(file.path) BOOST_TEST(unescaped == (file.path == "templates/layout.html"));
  }
}

BOOST_AUTO_TEST_CASE(no_template_holds_what_the_policy_forbids) {
  for (const auto& file : embedded::all()) {
    if (!file.path.starts_with("templates/")) continue;
    BOOST_TEST_CONTEXT(file.path) {
      for (const auto* forbidden :
           {" style=", "<style", " onclick", " onload", "javascript:", "src=\"http", "href=\"http", "@import"})
        BOOST_TEST(file.content.find(forbidden) == std::string_view::npos);
    }
  }
}

BOOST_AUTO_TEST_CASE(every_form_of_a_template_carries_its_token) {
  for (const auto& file : embedded::all()) {
    if (!file.path.starts_with("templates/")) continue;
    for (auto at = file.content.find("<form method=\"post\""); at != std::string_view::npos;
         at = file.content.find("<form method=\"post\"", at + 1)) {
      const auto form = file.content.substr(at, file.content.find("</form>", at) - at);
      BOOST_TEST_CONTEXT(file.path) BOOST_TEST(form.find("name=\"csrf\" value=\"{{csrf}}\"") != std::string_view::npos);
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()
